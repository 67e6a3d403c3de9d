#include "postgres.h"

#include "health/check.h"

const OpsCheck ops_statistics_checks[] = {{NULL}};
const int	ops_statistics_count = 0;
