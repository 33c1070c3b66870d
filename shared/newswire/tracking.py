"""Query parameters that only say how a reader came to a page.

Analytics, advertising and mailing tools add them. A name that some site might use to choose what it shows
(ref, source, from, id, rss, partner) is not among them.
"""

from urllib.parse import unquote_plus

TRACKING_PREFIXES = ("utm_", "hsa_", "mtm_", "matomo_", "piwik_", "pk_", "sfmc_", "fb_action_")

# fmt: off
TRACKING_NAMES = frozenset({
    # click identifiers of advertising networks
    "fbclid", "gclid", "gclsrc", "dclid", "gbraid",
    "wbraid", "gad_source", "gad_campaignid", "msclkid", "yclid",
    "ysclid", "twclid", "ttclid", "li_fat_id", "rdt_cid", "epik", "srsltid", "dicbo", "tblci", "irclickid",
    "rb_clickid", "obclid", "_branch_match_id",
    # social networks
    "igsh", "igshid", "fb_ref", "fb_source",
    "__twitter_impression", "ref_src", "ref_url", "soc_src", "soc_trk",
    "hss_channel",
    # mailing tools
    "mc_cid", "mc_eid", "mkt_tok", "_hsenc", "_hsmi",
    "__hssc", "__hstc", "__hsfp", "hsctatracking", "vero_id",
    "vero_conv", "oly_enc_id", "oly_anon_id", "wickedid", "et_rid", "et_cid", "ml_subscriber",
    "ml_subscriber_hash", "_kx",
    # analytics
    "_ga", "_gl", "xtor", "wt_mc", "wt.mc_id",
    "wt_zmc", "wtmc", "s_cid", "sc_cid", "ns_campaign", "ns_mchannel",
    "ns_source", "ns_linkname", "ns_fee", "at_medium", "at_campaign", "at_campaign_type", "at_link_id",
    "at_link_type", "at_link_origin", "at_format", "at_ptr_name", "at_bbc_team", "at_custom1", "at_custom2",
    "at_custom3", "at_custom4", "at_xt", "guccounter", "guce_referrer", "guce_referrer_sig",
    # single publishers' own, most of them on the links of their feeds
    "cmp", "cmpid", "ocid", "smid", "smtyp", "emc",
    "ito", "maca", "taid", "traffic_source", "__source", "intcid",
    "int_cmp", "icid", "ncid",
})
# fmt: on


def is_tracking(parameter: str) -> bool:
    """Say whether a ``name=value`` of a query only tracks the reader."""
    name = unquote_plus(parameter.partition("=")[0]).lower()
    return name in TRACKING_NAMES or name.startswith(TRACKING_PREFIXES)
