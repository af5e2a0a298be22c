"""PySpark on two cores, schema given: the aggregates of Deequ's profiler, which is Model Monitor's engine."""

import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.memory", "4g")
    .config("spark.sql.shuffle.partitions", "2")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
print("ready", flush=True)
NUMBERS = [*(f"f{at}" for at in range(12)), *(f"i{at}" for at in range(3))]
TEXTS = [f"s{at}" for at in range(5)]
SCHEMA = ", ".join([*(f"{n} double" for n in NUMBERS), *(f"{n} string" for n in TEXTS)])
KLL = getattr(f, "kll_sketch_agg_double", None)
for path in sys.argv[1:]:
    table = spark.read.csv(path, schema=SCHEMA, header=True)
    asked = [f.count("*")]
    for name in NUMBERS:
        asked += [f.count(name), f.mean(name), f.sum(name), f.stddev_pop(name), f.min(name), f.max(name)]
        asked += [KLL(name) if KLL else f.percentile_approx(name, [at / 10 for at in range(1, 10)], 2048)]
    asked += [f.approx_count_distinct(name) for name in NUMBERS + TEXTS] + [f.count(name) for name in TEXTS]
    print(len(table.agg(*asked).collect()[0]), "KLL" if KLL else "percentile_approx")
    for name in TEXTS:
        print(len(table.groupBy(name).count().orderBy(f.desc("count")).limit(100).collect()))
spark.stop()
