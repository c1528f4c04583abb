{
    "name": "Soko Artisans: Quality & Plating",
    "version": "19.0.1.0.0",
    "category": "Supply Chain/Artisans",
    "summary": "Inspected drop-offs, plated pieces that stay their maker's, quality of an artisan",
    "author": "SOKO",
    "license": "LGPL-3",
    "depends": ["soko_artisan", "soko_qc"],
    "data": [
        "views/soko_artisan_views.xml",
        "views/soko_qc_inspection_views.xml",
        "views/soko_qc_inspection_piece_views.xml",
        "views/stock_lot_views.xml",
    ],
    "post_init_hook": "post_init_hook",
    "auto_install": True,
}
