#include "postgres.h"

#include "health/check.h"

const OpsCheck ops_storage_checks[] = {{NULL}};
const int	ops_storage_count = 0;
