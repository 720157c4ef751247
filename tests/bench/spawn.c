// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * spawn - run several programs in turn, many times, and say what each run cost.
 *
 *	spawn ROUNDS PROGRAM... -- ARGUMENT...
 *
 * prints a line "PROGRAM MICROSECONDS PEAK_KIB PROCESSES CPU_MICROSECONDS" a run. In turn, so that
 * a machine whose speed drifts is unfair to none, and each round begins with another,
 * for what one leaves to be cleaned up is paid for by the next. Processes are the forks that the
 * whole machine did meanwhile, so nothing else may run; the processor's time is that of the
 * program and of all whose end it has waited for, to the nanosecond that the scheduler's clock
 * has, and not that of waiting for the kernel. "@" in an argument becomes
 * the number of the run, for each container wants a name of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "spawn: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Forks since boot, as the kernel counts them. */
static long forks(void)
{
	char line[256];
	long count = -1;
	FILE *stat = fopen("/proc/stat", "re");

	if (!stat)
		die("/proc/stat");
	while (count < 0 && fgets(line, sizeof(line), stat))
		sscanf(line, "processes %ld", &count);
	fclose(stat);
	return count;
}

static char **arguments_of(char *program, char **pattern, int run)
{
	static char *arguments[64];
	static char texts[64][256];
	int count = 0;

	arguments[count++] = program;
	for (; *pattern && count < 63; pattern++, count++) {
		const char *at = strchr(*pattern, '@');

		if (at)
			snprintf(texts[count], sizeof(texts[count]), "%.*s%d%s",
				 (int)(at - *pattern), *pattern, run, at + 1);
		else
			snprintf(texts[count], sizeof(texts[count]), "%s", *pattern);
		arguments[count] = texts[count];
	}
	arguments[count] = NULL;
	return arguments;
}

static long usec(struct timeval time)
{
	return time.tv_sec * 1000000 + time.tv_usec;
}

static void run_once(char *program, char **pattern, int run)
{
	char **arguments = arguments_of(program, pattern, run);
	struct timespec begin, end;
	struct rusage usage;
	long before = forks();
	int status;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		execvp(program, arguments);
		die(program);
	}
	if (wait4(pid, &status, 0, &usage) < 0)
		die("wait4");
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "spawn: %s: ended with status 0x%x\n", program, status);
		exit(1);
	}

	printf("%s %ld %ld %ld %ld\n", program,
	       (end.tv_sec - begin.tv_sec) * 1000000 + (end.tv_nsec - begin.tv_nsec) / 1000,
	       usage.ru_maxrss, forks() - before, usec(usage.ru_utime) + usec(usage.ru_stime));
}

int main(int argc, char **argv)
{
	int programs = 2, run = 0;

	while (programs < argc && strcmp(argv[programs], "--") != 0)
		programs++;
	if (argc < 4 || programs == argc) {
		fprintf(stderr, "Usage: spawn ROUNDS PROGRAM... -- ARGUMENT...\n");
		return 2;
	}
	for (int round = atoi(argv[1]); round > 0; round--) {
		for (int i = 0; i < programs - 2; i++)
			run_once(argv[2 + (round + i) % (programs - 2)], argv + programs + 1,
				 run++);
	}
	return 0;
}
