"""The best dataset that crowd labels can give: consensus on classes, ratings and rankings, from plain tables
alone.

`table` holds answers as arrays, `result` what an estimator returns; every estimator is a file of its own,
with `fit_predict(table, gold=None)`.
"""
