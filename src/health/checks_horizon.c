#include "postgres.h"

#include "health/check.h"

const OpsCheck ops_horizon_checks[] = {{NULL}};
const int	ops_horizon_count = 0;
