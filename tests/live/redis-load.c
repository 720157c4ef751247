// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * redis-load - load for a redis-server, whose answers are looked at.
 *
 *	redis-load SOCKET CONNECTIONS
 *
 * Each connection sets a key of its own to a new value, gets it, and so on, one request
 * at a time, each some milliseconds after the last answer, so that others have a
 * processor, too; until the input ends. Then it says
 *
 *	requests NUMBER failed NUMBER p50 USEC p99 USEC max USEC
 *
 * An answer that is not what was set, an error, or a connection that ends has failed.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	VALUE = 512,
	BUFFER = 2048,
	CONNECTIONS_MAX = 256,
	/* of latencies, in steps of 10 us, the last for all above */
	STEP = 10,
	STEPS = 500000,
	THINK = 5000,
};

struct connection {
	int fd;
	int getting;		/* what was asked last: GET, else SET */
	unsigned long number;	/* of the value */
	int64_t asked;
	int64_t answered;	/* 0: not yet */
	size_t filled;
	char answer[BUFFER];
	char value[VALUE + 1];
};

static struct connection connections[CONNECTIONS_MAX];
static unsigned int histogram[STEPS];
static uint64_t requests, failed;
static int64_t worst;

static void die(const char *what)
{
	fprintf(stderr, "redis-load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die(path);
	return fd;
}

/* The value is the number over and over, so that half of another one is seen. */
static void new_value(struct connection *connection)
{
	char number[16];

	connection->number++;
	snprintf(number, sizeof(number), "%015lu", connection->number);
	for (int i = 0; i < VALUE; i++)
		connection->value[i] = number[i % 15];
	connection->value[VALUE] = '\0';
}

static void ask(struct connection *connection, int index)
{
	char request[BUFFER], key[32];
	int len, key_len;

	connection->getting = !connection->getting;
	key_len = snprintf(key, sizeof(key), "load:%d:%d", (int)getpid(), index);
	if (connection->getting) {
		len = snprintf(request, sizeof(request), "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", key_len,
			       key);
	} else {
		new_value(connection);
		len = snprintf(request, sizeof(request),
			       "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", key_len, key, VALUE,
			       connection->value);
	}
	connection->filled = 0;
	connection->answered = 0;
	connection->asked = now_usec();
	if (send(connection->fd, request, (size_t)len, MSG_NOSIGNAL) != len)
		failed++;
}

static void count(struct connection *connection, int good)
{
	int64_t took;

	connection->answered = now_usec();
	took = connection->answered - connection->asked;
	requests++;
	failed += !good;
	histogram[took / STEP < STEPS ? took / STEP : STEPS - 1]++;
	if (took > worst)
		worst = took;
}

/* 1: an answer is complete; 0: not yet; -1: the connection has ended. */
static int take(struct connection *connection, int index)
{
	char expected[BUFFER];
	ssize_t len = recv(connection->fd, connection->answer + connection->filled,
			   sizeof(connection->answer) - 1 - connection->filled, MSG_DONTWAIT);
	size_t wanted;

	if (len < 0 && errno == EAGAIN)
		return 0;
	if (len <= 0) {
		failed++;
		fprintf(stderr, "redis-load: connection %d: %s\n", index,
			len ? strerror(errno) : "ended");
		return -1;
	}
	connection->filled += (size_t)len;
	connection->answer[connection->filled] = '\0';
	if (connection->getting)
		wanted = (size_t)snprintf(expected, sizeof(expected), "$%d\r\n%s\r\n", VALUE,
					  connection->value);
	else
		wanted = (size_t)snprintf(expected, sizeof(expected), "+OK\r\n");
	if (connection->answer[0] == expected[0] && connection->filled < wanted)
		return 0;
	if (strcmp(connection->answer, expected) == 0) {
		count(connection, 1);
	} else {
		fprintf(stderr, "redis-load: connection %d: %.60s\n", index, connection->answer);
		count(connection, 0);
	}
	return 1;
}

static long percentile(double part)
{
	uint64_t seen = 0;

	for (long i = 0; i < STEPS; i++) {
		seen += histogram[i];
		if ((double)seen >= part * (double)requests)
			return (i + 1) * STEP;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct pollfd pollers[CONNECTIONS_MAX + 1];
	int wanted = argc == 3 ? atoi(argv[2]) : 0;
	char end;

	if (wanted < 1 || wanted > CONNECTIONS_MAX) {
		fprintf(stderr, "Usage: redis-load SOCKET CONNECTIONS\n");
		return 2;
	}
	for (int i = 0; i < wanted; i++) {
		connections[i].getting = 1;
		connections[i].fd = connect_to(argv[1]);
		pollers[i] = (struct pollfd){ .fd = connections[i].fd, .events = POLLIN };
		ask(&connections[i], i);
	}
	pollers[wanted] = (struct pollfd){ .fd = 0, .events = POLLIN };

	for (;;) {
		if (poll(pollers, (nfds_t)wanted + 1, 1) < 0)
			die("poll");
		if (pollers[wanted].revents && read(0, &end, 1) <= 0)
			break;
		for (int i = 0; i < wanted; i++) {
			if (pollers[i].revents && take(&connections[i], i) < 0)
				pollers[i].fd = -1;
			else if (connections[i].answered &&
				 now_usec() - connections[i].answered >= THINK)
				ask(&connections[i], i);
		}
	}
	printf("requests %llu failed %llu p50 %ld p99 %ld max %lld\n",
	       (unsigned long long)requests, (unsigned long long)failed, percentile(0.5),
	       percentile(0.99), (long long)worst);
	return failed > 0;
}
