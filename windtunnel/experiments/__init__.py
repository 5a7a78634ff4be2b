"""Many replications of one network: estimates with intervals, closed forms beside them, paired what-ifs."""
