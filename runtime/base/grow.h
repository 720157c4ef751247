/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdlib.h>

/*
 * grow - an array that gets one element after the other: the number of copies stays small
 * where a container decides how many elements there are.
 */

/*
 * Room for one more element in `array`, which has `count` of them and came from here. Returns
 * where it is now. NULL: no memory, and `array` is as it was.
 */
static inline void *grow(void *array, size_t count, size_t size)
{
	/* room was made for the next power of two */
	if (count & (count - 1))
		return array;
	return reallocarray(array, count ? 2 * count : 1, size);
}
