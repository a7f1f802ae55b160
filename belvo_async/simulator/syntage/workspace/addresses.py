"""The catalogue of postal codes: invented settlements in the states their first two digits stand for."""

from collections.abc import Iterator
from random import Random
from typing import Final

from ...wire import Incoming, Json, JsonObject, Reply, Route, answer
from ..errors import LD_JSON, hydra_error
from ..rows.invoices import collection
from .bodies import not_found

# Up to which first two digits a state reaches (the post's own division), its name, and its code of three letters.
_STATES: Final = (
    (16, "Ciudad de México", "CMX"), (20, "Aguascalientes", "AGU"), (22, "Baja California", "BCN"),
    (23, "Baja California Sur", "BCS"), (24, "Campeche", "CAM"), (27, "Coahuila de Zaragoza", "COA"),
    (28, "Colima", "COL"), (30, "Chiapas", "CHP"), (33, "Chihuahua", "CHH"), (35, "Durango", "DUR"),
    (38, "Guanajuato", "GUA"), (41, "Guerrero", "GRO"), (43, "Hidalgo", "HID"), (49, "Jalisco", "JAL"),
    (57, "México", "MEX"), (61, "Michoacán de Ocampo", "MIC"), (62, "Morelos", "MOR"), (63, "Nayarit", "NAY"),
    (67, "Nuevo León", "NLE"), (71, "Oaxaca", "OAX"), (75, "Puebla", "PUE"), (76, "Querétaro", "QUE"),
    (77, "Quintana Roo", "ROO"), (79, "San Luis Potosí", "SLP"), (82, "Sinaloa", "SIN"), (85, "Sonora", "SON"),
    (86, "Tabasco", "TAB"), (89, "Tamaulipas", "TAM"), (90, "Tlaxcala", "TLA"),
    (96, "Veracruz de Ignacio de la Llave", "VER"), (97, "Yucatán", "YUC"), (99, "Zacatecas", "ZAC"),
)  # fmt: skip
_UNUSED: Final = (0, 17, 18, 19)
_SETTLEMENTS: Final = ("Los Morales", "El Zarzal", "La Ceiba", "San Eloy", "Las Peñas", "Barranca Honda", "El Mirador")
_PLACES: Final = ("Tapalpa", "San Eloy", "Quebrada", "Río Seco", "Añil", "La Sierra")
# The one the document shows.
_SHOWN: Final = "11510"


def addresses_of(code: str) -> list[JsonObject]:
    """Give the settlements of a postal code; none for one that is not in use."""
    first = int(code[:2])
    if first in _UNUSED:
        return []
    state, letters = next((name, letters) for last, name, letters in _STATES if first <= last)
    rng = Random(f"postal code:{code}")
    place = rng.choice(_PLACES)
    names = rng.sample(_SETTLEMENTS, rng.randint(1, 3))
    municipality, city, office = place, place, f"{first:02}{rng.randrange(1000):03}"
    if code == _SHOWN:
        names, municipality, city, office = ["Los Morales", "El Mirador"], "Miguel Hidalgo", "Cd de Mexico", "01234"
    return [
        {
            "@id": f"/.well-known/genid/{rng.getrandbits(80):020x}",
            "@type": "MxPostalCodeAddress",
            "postalCode": code,
            "neighborhood": name,
            "neighborhoodType": "Colonia",
            "municipality": municipality,
            "state": state,
            "stateCode": letters,
            "city": city,
            "officeKey": office,
        }
        for name in names
    ]


def routes() -> Iterator[Route]:
    """Give the one route."""
    yield Route("GET", "/datasources/mx/addresses/{code}", _list)


async def _list(call: Incoming) -> Reply:
    code = call.args["code"]
    if len(code) != 5 or not (code.isdecimal() and code.isascii()):
        return hydra_error(400, "The postal code must have five digits.")
    members: list[Json] = [*addresses_of(code)]
    if not members:
        return not_found()
    view: JsonObject = {"@id": call.path, "@type": "hydra:PartialCollectionView"}
    return answer(200, collection("MxPostalCodeAddress", call.path, members, view, len(members)), LD_JSON)
