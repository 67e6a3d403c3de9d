#include "postgres.h"

#include "health/check.h"

const OpsCheck ops_replication_checks[] = {{NULL}};
const int	ops_replication_count = 0;
