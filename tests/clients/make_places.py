"""A file of places in MaxMind's format, made by mmdb_writer: the loopback addresses lie in the city that is named.

    make_places.py FILE CITY GOROD
"""

import json
import sys

from mmdb_writer import MMDBWriter
from netaddr import IPSet

path, city, in_russian = sys.argv[1:]
writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="GeoLite2-City", languages=["en", "ru"])
record = {
    "city": {"names": {"en": city, "ru": in_russian}},
    "country": {"iso_code": "DE", "names": {"en": "Germany", "ru": "Германия"}},
}
writer.insert_network(IPSet(["127.0.0.0/8"]), record)
writer.insert_network(IPSet(["203.0.113.0/24"]), {"country": {"names": {"en": "Nowhere"}}})
writer.to_db_file(path)
print(json.dumps(path))
