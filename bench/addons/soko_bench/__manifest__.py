{
    "name": "Measurement: a route that writes one row",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "summary": "Only for bench/payouts.py, on a database that is thrown away",
    "author": "SOKO",
    "license": "LGPL-3",
    "depends": ["base"],
}
