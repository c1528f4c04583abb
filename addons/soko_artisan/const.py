OFFICER = "soko_artisan.soko_artisan_group_user"
SETTLER = "soko_artisan.soko_artisan_group_settler"
MANAGER = "soko_artisan.soko_artisan_group_manager"
