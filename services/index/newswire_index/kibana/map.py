"""Maps: where the places lie that articles name."""

from collections.abc import Sequence

from newswire_index.kibana.form import DATA_VIEW, MAP, Saved, View, kql, reference, saved, text

BASE = {"type": "EMS_TMS", "isAutoSelect": True, "lightModeDefault": "road_map_desaturated"}
NEAR = 7  # zoom from which single articles are shown beside the circles
FURTHEST, NEAREST = 0, 24


def map_of(
    id_: str, title: str, view: View, place: str, *, description: str, tooltip: Sequence[str], outlets: str
) -> Saved:
    """Return a map: circles that count articles, and from near the articles themselves.

    Args:
        id_: of the saved object.
        title: for people.
        view: what is counted.
        place: its field of points on the earth.
        description: what the map answers.
        tooltip: fields shown of an article.
        outlets: the field whose values are counted in each circle beside the articles.
    """
    layers = [
        _layer("base", "Base map", "EMS_VECTOR_TILE", BASE, {"type": "EMS_VECTOR_TILE", "color": ""}),
        _layer("circles", "Articles by place", "GEOJSON_VECTOR", _circles(place, outlets), _circle_style()),
        _layer("articles", "Articles", "GEOJSON_VECTOR", _articles(place, tooltip), _dot_style(), near=NEAR),
    ]
    state = {
        "zoom": 3,
        "center": {"lon": 20, "lat": 48},
        "timeFilters": {"from": "now-30d", "to": "now"},
        "refreshConfig": {"isPaused": True, "interval": 0},
        "query": kql(),
        "filters": [],
        "settings": {"autoFitToDataBounds": True},
    }
    attributes = {
        "title": title,
        "description": description,
        "mapStateJSON": text(state),
        "layerListJSON": text(layers),
        "uiStateJSON": text({"isLayerTOCOpen": False, "openTOCDetails": []}),
    }
    needed = [reference(f"layer_{number}_source_index_pattern", DATA_VIEW, view.id) for number in (1, 2)]
    return saved(MAP, id_, attributes, needed)


def _layer(id_: str, label: str, kind: str, source: Saved, style: Saved, *, near: int = FURTHEST) -> Saved:
    return {
        "id": id_,
        "label": label,
        "type": kind,
        "sourceDescriptor": source,
        "style": style,
        "visible": True,
        "alpha": 0.8,
        "minZoom": near,
        "maxZoom": NEAREST,
        "includeInFitToBounds": kind != "EMS_VECTOR_TILE",
    } | ({"joins": []} if kind == "GEOJSON_VECTOR" else {})


def _searched(number: int, place: str) -> Saved:
    """Return what all layers over a data view share: they obey the dashboard they stand on."""
    return {
        "geoField": place,
        "indexPatternRefName": f"layer_{number}_source_index_pattern",
        "applyGlobalQuery": True,
        "applyGlobalTime": True,
        "applyForceRefresh": True,
    }


def _circles(place: str, outlets: str) -> Saved:
    metrics = [
        {"type": "count", "label": "Articles"},
        {"type": "cardinality", "field": outlets, "label": "Outlets"},
    ]
    grid = {"type": "ES_GEO_GRID", "id": "circles-grid", "requestType": "point", "resolution": "COARSE"}
    return grid | {"metrics": metrics} | _searched(1, place)


def _articles(place: str, tooltip: Sequence[str]) -> Saved:
    search = {"type": "ES_SEARCH", "id": "articles-search", "scalingType": "LIMIT", "filterByMapBounds": True}
    return search | {"tooltipProperties": list(tooltip)} | _searched(2, place)


def _circle_style() -> Saved:
    counted = {
        "field": {"name": "doc_count", "origin": "source"},
        "fieldMetaOptions": {"isEnabled": True, "sigma": 3},
    }
    properties = {
        "fillColor": {"type": "DYNAMIC", "options": {**counted, "type": "ORDINAL", "color": "Blues"}},
        "iconSize": {"type": "DYNAMIC", "options": {**counted, "minSize": 8, "maxSize": 32}},
        "labelText": {"type": "DYNAMIC", "options": {"field": counted["field"]}},
        "labelSize": {"type": "STATIC", "options": {"size": 13}},
        **_edge(),
    }
    return {"type": "VECTOR", "isTimeAware": True, "properties": properties}


def _dot_style() -> Saved:
    properties = {
        "fillColor": {"type": "STATIC", "options": {"color": "#D36086"}},
        "iconSize": {"type": "STATIC", "options": {"size": 5}},
        **_edge(),
    }
    return {"type": "VECTOR", "isTimeAware": True, "properties": properties}


def _edge() -> Saved:
    return {
        "lineColor": {"type": "STATIC", "options": {"color": "#FFFFFF"}},
        "lineWidth": {"type": "STATIC", "options": {"size": 1}},
    }
