"""Kenya's counties as people write them. Without the ORM.

The names are those of the First Schedule of the Constitution of Kenya (2010); the official
registers write some of them in several ways.
"""

import re
import unicodedata

OTHER_NAMES = {
    "nairobi": "nairobicity",
    "keiyomarakwet": "elgeyomarakwet",
    "mombasacity": "mombasa",
    "tharaka": "tharakanithi",
}


def county_key(name):
    """Return the form of a county's name that two ways of writing it have in common.

    :param str name: "Taita Taveta County", "taita-taveta", "Taita/Taveta (KE)"
    :return: small letters only, such as "taitataveta"
    """
    text = unicodedata.normalize("NFKD", name or "").lower()
    text = re.sub(r"\(ke\)|\bcounty\b", "", text)
    key = re.sub(r"[^a-z]", "", text)
    return OTHER_NAMES.get(key, key)
