{
    "name": "M-Pesa: places to be killed at",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "summary": "Lets a campaign stop the sender at a named point; only for the campaign",
    "author": "SOKO",
    "license": "LGPL-3",
    "depends": ["soko_mpesa"],
    "data": [],
}
