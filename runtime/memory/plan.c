// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/utf8.h"

/* What the planning of one field needs. */
struct making {
	struct memory_plan *plan;
	const struct memory_spec *spec;
	const struct memory_features *features;
	struct error *err;
};

const struct plan_write *memory_plan_find(const struct memory_plan *plan, const char *file)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (strcmp(plan->writes[i].file, file) == 0)
			return &plan->writes[i];
	}
	return NULL;
}

static int64_t value_of(const struct making *m, enum memory_field field)
{
	return m->spec->value[field];
}

/* Leave a note about `field`: it stands in front of what is said. */
static void note(const struct making *m, enum memory_field field, const char *format, ...)
	PRINTF(3, 4);

static void note(const struct making *m, enum memory_field field, const char *format, ...)
{
	struct plan_note *place;
	va_list args;
	size_t len;

	if (m->plan->note_count == MEMORY_NOTES_MAX)
		return;
	place = &m->plan->notes[m->plan->note_count++];
	place->field = field;
	len = (size_t)snprintf(place->text, sizeof(place->text), "%s: ", memory_field_path(field));

	va_start(args, format);
	vsnprintf(place->text + len, sizeof(place->text) - len, format, args);
	va_end(args);
	error_one_line(place->text);
	utf8_repair(place->text);		/* where it was cut */
}

static int refuse(const struct making *m, int code, enum memory_field field, const char *what)
{
	char text[MEMORY_TEXT_MAX];

	return error_set(m->err, code, "%s: %s, \"%s\"", memory_field_path(field), what,
			 memory_spec_text(m->spec, field, text));
}

/* What cannot be honoured: a note, or where the spec is strict a refusal. */
static int cannot(const struct making *m, enum memory_field field, const char *what)
{
	char text[MEMORY_TEXT_MAX];

	if (m->spec->strict)
		return refuse(m, EOPNOTSUPP, field, what);
	note(m, field, "%s, \"%s\"", what, memory_spec_text(m->spec, field, text));
	return 0;
}

static void add(const struct making *m, enum memory_field field, const struct memory_file *row,
		const char *value)
{
	struct plan_write *write = &m->plan->writes[m->plan->count++];

	*write = (struct plan_write){ .field = field, .row = row };
	snprintf(write->file, sizeof(write->file), "%s", row->name);
	snprintf(write->value, sizeof(write->value), "%s", value);
}

/* v2's files say "max" for no limit, v1's take -1. */
static void add_number(const struct making *m, enum memory_field field,
		       const struct memory_file *row, int64_t value)
{
	char text[NUMBER_TEXT_MAX];

	if (value == NUMBER_UNLIMITED && row->mode == CGROUP_V2)
		snprintf(text, sizeof(text), "max");
	else
		snprintf(text, sizeof(text), "%" PRId64, value);
	add(m, field, row, text);
}

/* The row of this name where the kernel has it. */
static const struct memory_file *row_named(const struct making *m, const char *name)
{
	const struct memory_file *row = memory_file_named(m->features->mode, name);

	return row && memory_features_have(m->features, row) ? row : NULL;
}

/* The explicit key of this name, or NULL. */
static const struct memory_explicit *explicit_of(const struct making *m, const char *file)
{
	for (size_t i = 0; i < m->spec->explicit_count; i++) {
		if (strcmp(m->spec->explicits[i].file, file) == 0)
			return &m->spec->explicits[i];
	}
	return NULL;
}

/*
 * The limit that will be in force: an explicit memory.max counts more than the
 * field. False where there is none, or where it is text only the kernel reads.
 */
static bool limit_in_force(const struct making *m, int64_t *limit)
{
	const struct memory_explicit *asked = explicit_of(m, "memory.max");

	if (asked)
		return memory_value_read(asked->value, limit, NULL) == 0;
	*limit = value_of(m, MEMORY_LIMIT);
	return memory_spec_asks(m->spec, MEMORY_LIMIT);
}

/*
 * Fields that are one number in one file, or nothing. A cgroup without the file has no such
 * limit, so "unlimited" is in force without a write.
 */
static int plan_number(const struct making *m, enum memory_field field, const char *otherwise)
{
	const struct memory_file *row = memory_features_find(m->features, field);

	if (!row || memory_features_ignore(m->features, row))
		return value_of(m, field) == NUMBER_UNLIMITED ? 0 : cannot(m, field, otherwise);
	add_number(m, field, row, value_of(m, field));
	return 0;
}

static int plan_limit(const struct making *m)
{
	const struct memory_file *row = memory_features_find(m->features, MEMORY_LIMIT);

	if (!row && value_of(m, MEMORY_LIMIT) == NUMBER_UNLIMITED)
		return 0;
	/* Nobody wants to find out later that there never was a limit. */
	if (!row)
		return refuse(m, EOPNOTSUPP, MEMORY_LIMIT, "this kernel has no file for it");
	add_number(m, MEMORY_LIMIT, row, value_of(m, MEMORY_LIMIT));
	return 0;
}

/*
 * v1 keeps memsw >= limit and calls a lone memsw invalid. A limit of S beside
 * S over memory + swap takes nothing away, so a lone S is honoured exactly.
 */
static int plan_swap_v1(const struct making *m, bool limited)
{
	const struct memory_file *hard = memory_features_find(m->features, MEMORY_LIMIT);
	const struct memory_file *row = memory_features_find(m->features, MEMORY_SWAP);
	int64_t total = value_of(m, MEMORY_SWAP);

	if (!limited && hard && total != NUMBER_UNLIMITED)
		add_number(m, MEMORY_SWAP, hard, total);
	if (row)
		add_number(m, MEMORY_SWAP, row, total);
	else if (total != NUMBER_UNLIMITED)
		return cannot(m, MEMORY_SWAP,
			      "this kernel does not count swap (memory.memsw.limit_in_bytes)");
	return 0;
}

/*
 * Does an explicit memory.swap.max allow more swap than the field does? containerd sends
 * the limit as the total of each container, and kubelet the swap that it means beside it.
 */
static bool explicit_allows_more(const struct making *m, int64_t limit, int64_t total)
{
	const struct memory_explicit *asked = explicit_of(m, "memory.swap.max");
	int64_t swap;

	if (!asked || memory_value_read(asked->value, &swap, NULL) < 0)
		return false;
	return swap == NUMBER_UNLIMITED || swap > total - limit;
}

static int plan_swap_v2(const struct making *m, bool limited, int64_t limit)
{
	const struct memory_file *exact = row_named(m, "memory.memsw.max");
	const struct memory_file *alone = row_named(m, "memory.swap.max");
	const struct memory_file *hard = row_named(m, "memory.max");
	int64_t total = value_of(m, MEMORY_SWAP);

	if (exact && limited && total != NUMBER_UNLIMITED &&
	    explicit_allows_more(m, limit, total)) {
		/* not left out: an update is to lift the total in force */
		add_number(m, MEMORY_SWAP, exact, NUMBER_UNLIMITED);
		note(m, MEMORY_SWAP,
		     "linux.resources.unified.memory.swap.max allows more, \"%" PRId64 "\"", total);
		return 0;
	}
	if (exact)
		add_number(m, MEMORY_SWAP, exact, total);
	/* A limit of swap within the total contradicts nothing. */
	if (exact && total != NUMBER_UNLIMITED && explicit_of(m, "memory.swap.max"))
		return 0;
	if (alone && (exact || total == NUMBER_UNLIMITED)) {
		add_number(m, MEMORY_SWAP, alone, NUMBER_UNLIMITED);
		return 0;
	}
	if (exact || total == NUMBER_UNLIMITED)
		return 0;

	if (limited) {
		/* Without memory.swap.max nothing is swapped: limit <= swap is enough. */
		if (alone)
			add_number(m, MEMORY_SWAP, alone, total - limit);
		return 0;
	}
	if (!alone && hard) {
		add_number(m, MEMORY_SWAP, hard, total);
		return 0;
	}
	/* Whatever it would have been, the explicit one is what counts. */
	if (explicit_of(m, "memory.swap.max"))
		return cannot(m, MEMORY_SWAP,
			      "linux.resources.unified.memory.swap.max stands in its place");
	return refuse(m, EOPNOTSUPP, MEMORY_SWAP,
		      "needs linux.resources.memory.limit, for this kernel limits swap alone");
}

static int plan_swap(const struct making *m)
{
	int64_t total = value_of(m, MEMORY_SWAP), limit;
	bool limited = limit_in_force(m, &limit);

	if (limited && total != NUMBER_UNLIMITED && (limit == NUMBER_UNLIMITED || total < limit))
		return refuse(m, EINVAL, MEMORY_SWAP, "below the limit of memory alone");
	if (m->features->mode == CGROUP_V1)
		return plan_swap_v1(m, limited);
	return plan_swap_v2(m, limited, limit);
}

/*
 * A reservation of -1 is a soft limit that is never reached. memory.low is the opposite of a
 * limit: its "max" would keep all of the container from reclaim, so -1 is a protection of 0.
 */
static int64_t reservation_in(const struct memory_file *row, int64_t value)
{
	return value == NUMBER_UNLIMITED && strcmp(row->name, "memory.low") == 0 ? 0 : value;
}

static int plan_reservation(const struct making *m)
{
	static const char *const files[] = {
		[RESERVATION_LOW] = "memory.low",
		[RESERVATION_HIGH] = "memory.high",
		[RESERVATION_NONE] = NULL,
	};
	const struct memory_file *soft = row_named(m, "memory.soft.max");
	const char *name = files[m->spec->reservation_as];
	int64_t value = value_of(m, MEMORY_RESERVATION);
	const struct memory_file *row;
	int64_t limit;

	if (value != NUMBER_UNLIMITED && limit_in_force(m, &limit) &&
	    limit != NUMBER_UNLIMITED && value > limit)
		note(m, MEMORY_RESERVATION, "above the limit, it can have no effect, \"%" PRId64 "\"",
		     value);

	if (m->features->mode == CGROUP_V1)
		return plan_number(m, MEMORY_RESERVATION,
				   "this kernel takes memory.soft_limit_in_bytes and ignores it");

	if (soft)
		add_number(m, MEMORY_RESERVATION, soft, value);
	if (!name)
		return 0;
	row = row_named(m, name);
	if (row)
		add_number(m, MEMORY_RESERVATION, row, reservation_in(row, value));
	else if (!soft && value != NUMBER_UNLIMITED)
		return cannot(m, MEMORY_RESERVATION, "this kernel has no file for it");
	return 0;
}

static int plan_kernel(const struct making *m)
{
	return plan_number(m, MEMORY_KERNEL, "this kernel has no limit on kernel memory");
}

static int plan_kernel_tcp(const struct making *m)
{
	return plan_number(m, MEMORY_KERNEL_TCP, "this kernel has no limit on TCP buffers");
}

static int plan_swappiness(const struct making *m)
{
	return plan_number(m, MEMORY_SWAPPINESS,
			   "this kernel has none per container, kept for reclaim on request");
}

/* Who asked not to be killed must not be: refused unless a kill is accepted. */
static int plan_oom_wait(const struct making *m)
{
	const struct memory_file *row = memory_features_find(m->features, MEMORY_OOM_WAIT);

	if (row) {
		add(m, MEMORY_OOM_WAIT, row, "1");
		return 0;
	}
	if (m->spec->accept_kill)
		return 0;
	if (strcmp(m->spec->text[MEMORY_OOM_WAIT], "wait") == 0)
		return error_set(m->err, EOPNOTSUPP,
				 "%s: this kernel cannot wait at the limit, \"wait\"",
				 memory_field_path(MEMORY_OOM_GROUP));
	return refuse(m, EOPNOTSUPP, MEMORY_OOM_WAIT,
		      "this kernel cannot wait at the limit, annotation " ANNOTATION_PREFIX
		      "oom=kill accepts the kill");
}

static int plan_oom_group(const struct making *m)
{
	return plan_number(m, MEMORY_OOM_GROUP, "this kernel cannot kill a container as a whole");
}

static int plan_hierarchy(const struct making *m)
{
	const struct memory_file *row = memory_features_find(m->features, MEMORY_HIERARCHY);
	int64_t value = value_of(m, MEMORY_HIERARCHY);

	if (!value && (!row || m->features->always_hierarchical))
		return refuse(m, EOPNOTSUPP, MEMORY_HIERARCHY,
			      "this kernel is always hierarchical");
	if (row && !m->features->always_hierarchical)
		add(m, MEMORY_HIERARCHY, row, value ? "1" : "0");
	return 0;
}

/*
 * A container that is being created uses next to nothing, and the kernel
 * decides. v1 refuses a limit below usage by itself at any time.
 */
static int plan_check(const struct making *m)
{
	(void)m;
	return 0;
}

static int plan_reserve(const struct making *m)
{
	return plan_number(m, MEMORY_RESERVE, "this kernel reserves no memory for a cgroup");
}

/*
 * What a container's first process was charged elsewhere, before it was put into its
 * cgroup. v1's bits: 1 anonymous memory and its swap, 2 files and shmem.
 */
static int plan_move_charge(const struct making *m)
{
	const struct memory_file *row = memory_features_find(m->features, MEMORY_MOVE_CHARGE);
	int64_t types = value_of(m, MEMORY_MOVE_CHARGE), bits = 0, moved = 0;

	if (!types)
		return 0;
	if (!row || memory_features_ignore(m->features, row))
		return cannot(m, MEMORY_MOVE_CHARGE,
			      "this kernel moves no charges (memory.migrate)");
	if (row->flags & FILE_ACTION) {
		/* what a process maps; swap and kernel memory do not say whose they are */
		char words[MEMORY_VALUE_MAX];

		types &= CHARGE_ANON | CHARGE_FILE | CHARGE_SHMEM;
		if (types)
			add(m, MEMORY_MOVE_CHARGE, row,
			    charge_types_text(words, sizeof(words), (unsigned int)types));
		return 0;
	}

	if (types & (CHARGE_ANON | CHARGE_SWAP)) {
		bits |= 1;
		moved |= CHARGE_ANON | CHARGE_SWAP;
	}
	if (types & (CHARGE_FILE | CHARGE_SHMEM)) {
		bits |= 2;
		moved |= CHARGE_FILE | CHARGE_SHMEM;
	}
	if (bits)
		add_number(m, MEMORY_MOVE_CHARGE, row, bits);
	if (types != CHARGE_ALL && moved != types)
		return cannot(m, MEMORY_MOVE_CHARGE,
			      "this kernel moves anon with swap, file with shmem, no kernel memory");
	return 0;
}

static int plan_tmpfs(const struct making *m)
{
	return cannot(m, MEMORY_TMPFS, "this kernel binds no tmpfs to a cgroup (mount option memcg)");
}

static int plan_thresholds(const struct making *m)
{
	return cannot(m, MEMORY_THRESHOLDS, "nothing reports usage thresholds on this kernel");
}

static int (*const planners[MEMORY_FIELDS])(const struct making *m) = {
	[MEMORY_LIMIT] = plan_limit,
	[MEMORY_SWAP] = plan_swap,
	[MEMORY_RESERVATION] = plan_reservation,
	[MEMORY_KERNEL] = plan_kernel,
	[MEMORY_KERNEL_TCP] = plan_kernel_tcp,
	[MEMORY_SWAPPINESS] = plan_swappiness,
	[MEMORY_OOM_WAIT] = plan_oom_wait,
	[MEMORY_HIERARCHY] = plan_hierarchy,
	[MEMORY_CHECK] = plan_check,
	[MEMORY_OOM_GROUP] = plan_oom_group,
	[MEMORY_RESERVE] = plan_reserve,
	[MEMORY_MOVE_CHARGE] = plan_move_charge,
	[MEMORY_TMPFS] = plan_tmpfs,
	[MEMORY_THRESHOLDS] = plan_thresholds,
};

/* An explicit key wins over what was derived for the same file, and says so. */
static int plan_explicit(const struct making *m, size_t index)
{
	const struct memory_explicit *asked = &m->spec->explicits[index];
	struct plan_write *write;

	if (m->features->mode == CGROUP_V1)
		return error_set(m->err, EOPNOTSUPP,
				 "linux.resources.unified.%s: cgroup v1 controls memory here, \"%s\"",
				 asked->file, asked->value);
	if (m->features->explicit_missing & (1U << index))
		return error_set(m->err, EOPNOTSUPP,
				 "linux.resources.unified.%s: this kernel has no such file, \"%s\"",
				 asked->file, asked->value);

	write = (struct plan_write *)memory_plan_find(m->plan, asked->file);
	if (write) {
		if (!memory_value_same(write->value, asked->value))
			note(m, write->field,
			     "linux.resources.unified.%s wins over \"%s\", \"%s\"", asked->file,
			     write->value, asked->value);
	} else {
		write = &m->plan->writes[m->plan->count++];
		*write = (struct plan_write){
			.field = MEMORY_FIELDS,
			.row = memory_file_named(m->features->mode, asked->file),
		};
		strcpy(write->file, asked->file);
	}
	strcpy(write->value, asked->value);
	write->is_explicit = true;
	return 0;
}

/* Most of a plan is unused, and several pages long. */
static void copy_used(struct memory_plan *to, const struct memory_plan *from)
{
	to->mode = from->mode;
	to->count = from->count;
	memcpy(to->writes, from->writes, from->count * sizeof(from->writes[0]));
	to->note_count = from->note_count;
	memcpy(to->notes, from->notes, from->note_count * sizeof(from->notes[0]));
}

int memory_plan_make(struct memory_plan *plan, const struct memory_spec *spec,
		     const struct memory_features *features, struct error *err)
{
	struct memory_plan made;
	struct making m = { .plan = &made, .spec = spec, .features = features, .err = err };
	int ret;

	made.mode = features->mode;
	made.count = 0;
	made.note_count = 0;

	for (size_t field = 0; field < MEMORY_FIELDS; field++) {
		if (!memory_spec_asks(spec, (enum memory_field)field))
			continue;
		ret = planners[field](&m);
		if (ret < 0)
			return ret;
	}
	for (size_t i = 0; i < spec->explicit_count; i++) {
		ret = plan_explicit(&m, i);
		if (ret < 0)
			return ret;
	}

	copy_used(plan, &made);
	return 0;
}
