"""landstep.evaluation: how good a model is, beside what is good without one."""
