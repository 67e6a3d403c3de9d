/*-------------------------------------------------------------------------
 *
 * words.c
 *	  Quantities as people say them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "core/words.h"

/*
 * A duration in at most two units.
 */
const char *
ops_duration(double seconds)
{
	int64		whole = (int64) seconds;

	if (whole < 60)
		return psprintf("%lld s", (long long) whole);
	if (whole < 3600)
		return psprintf("%lld min %lld s", (long long) whole / 60, (long long) whole % 60);
	if (whole < 86400)
		return psprintf("%lld h %lld min", (long long) whole / 3600, (long long) whole % 3600 / 60);
	return psprintf("%lld d %lld h", (long long) whole / 86400, (long long) whole % 86400 / 3600);
}

/*
 * A size with two digits at least: nobody asks for more.
 */
const char *
ops_bytes(double bytes)
{
	static const char *const unit[] = {"kB", "MB", "GB", "TB", "PB"};
	int			step = 0;

	bytes /= 1024;
	while (bytes >= 999.5 && step < (int) lengthof(unit) - 1)
	{
		bytes /= 1024;
		step++;
	}
	return psprintf("%.*f %s", bytes < 9.95 && step > 0 ? 1 : 0, bytes,
					unit[step]);
}
