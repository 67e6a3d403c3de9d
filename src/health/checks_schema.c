#include "postgres.h"

#include "health/check.h"

const OpsCheck ops_schema_checks[] = {{NULL}};
const int	ops_schema_count = 0;
