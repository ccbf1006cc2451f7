"""Token formats that a vendor documents: prefix, length, alphabet and, where there is one, the checksum.

Each is written from the page named beside it, never from another scanner's rules. A format that matches is a credential
with certainty, so only formats that hardly anything else can match stand here. Patterns have no groups and never cross
a line, so that they hold in a window of text as in the whole.
"""

import re
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple


class Format(NamedTuple):
    """One documented token format."""

    rule: str
    pattern: str
    documentation: str
    check: Callable[[str], bool] | None = None
    """Whether the checksum inside the token is right; `None` where the format has none that is published."""


class Token(NamedTuple):
    """Where in a text a token stands."""

    start: int
    end: int
    rule: str


_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def crc32_base62(body: str) -> str:
    """Return the six checksum characters that GitHub and npm append to the random part `body` of a token."""
    value, digits = zlib.crc32(body.encode()), ""
    while value:
        value, digit = divmod(value, 62)
        digits = _BASE62[digit] + digits
    return digits.rjust(6, "0")


def _crc32_base62(token: str) -> bool:
    """Return whether the last six characters are the checksum of the random part before them."""
    return crc32_base62(token.rsplit("_", 1)[1][:-6]) == token[-6:]


FORMATS: tuple[Format, ...] = (
    Format(
        "aws-access-key-id",
        r"A(?:KIA|SIA)[A-Z2-7]{16}",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html",
    ),
    Format(
        "github-token",
        r"gh[pousr]_[A-Za-z0-9]{36}",
        "https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/",
        _crc32_base62,
    ),
    Format(
        "github-fine-grained-token",
        r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
        "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github",
    ),
    Format(
        "npm-token",
        r"npm_[A-Za-z0-9]{36}",
        "https://github.blog/changelog/2021-09-23-npm-has-a-new-access-token-format/",
        _crc32_base62,
    ),
    Format(
        "gitlab-token",
        r"gl(?:pat|oas|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|ffct)-[A-Za-z0-9_-]{20,}(?:\.[0-9a-z]{2}\.[0-9a-z]{9})?",
        "https://docs.gitlab.com/security/tokens/#token-prefixes",
    ),
    Format(
        "slack-token",
        r"xox(?:[abpor]-|e\.xox[bp]-|e-)[A-Za-z0-9-]{20,}",
        "https://docs.slack.dev/authentication/tokens",
    ),
    Format("slack-app-token", r"xapp-\d-[A-Z0-9]+-\d+-[0-9a-f]{32,}", "https://docs.slack.dev/authentication/tokens"),
    Format(
        "slack-webhook",
        r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Z0-9]{8,}/[A-Za-z0-9]+/[A-Za-z0-9]{20,}",
        "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",
    ),
    Format(
        "discord-webhook",
        r"https://(?:canary\.|ptb\.)?discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_-]{60,}",
        "https://discord.com/developers/docs/resources/webhook",
    ),
    Format("google-api-key", r"AIza[A-Za-z0-9_-]{35}", "https://cloud.google.com/docs/authentication/api-keys"),
    Format(
        "google-client-secret",
        r"GOCSPX-[A-Za-z0-9_-]{28}",
        "https://developers.google.com/identity/protocols/oauth2/web-server",
    ),
    Format(
        "azure-client-secret",
        r"[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}",
        "https://learn.microsoft.com/en-us/entra/identity-platform/quickstart-register-app",
    ),
    Format("stripe-key", r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{24,}", "https://docs.stripe.com/keys"),
    Format("stripe-webhook-secret", r"whsec_[A-Za-z0-9+/]{32,}", "https://docs.stripe.com/webhooks"),
    Format(
        "sendgrid-key",
        r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
        "https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys",
    ),
    Format(
        "vault-token",
        r"hv[sbr]\.[A-Za-z0-9_-]{24,}",
        "https://developer.hashicorp.com/vault/docs/concepts/tokens#token-prefixes",
    ),
    Format(
        "hcp-terraform-token",
        r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9]{60,}",
        "https://developer.hashicorp.com/terraform/cloud-docs/api-docs",
    ),
    Format("docker-token", r"dckr_[po]at_[A-Za-z0-9_-]{27,}", "https://docs.docker.com/security/access-tokens/"),
    Format(
        "digitalocean-token",
        r"do[opr]_v1_[0-9a-f]{64}",
        "https://docs.digitalocean.com/reference/api/create-personal-access-token/",
    ),
    Format("databricks-token", r"dapi[0-9a-f]{32}(?:-\d)?", "https://docs.databricks.com/aws/en/dev-tools/auth/pat"),
    Format(
        "grafana-token",
        r"glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}",
        "https://grafana.com/docs/grafana/latest/administration/service-accounts/",
    ),
    Format(
        "grafana-cloud-token",
        r"glc_eyJ[A-Za-z0-9+/=_-]{40,}",
        "https://grafana.com/docs/grafana-cloud/security-and-account-management/authentication-and-permissions/access-policies/",
    ),
    Format("pypi-token", r"pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}", "https://pypi.org/help/#apitoken"),
    Format(
        "age-secret-key", r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}", "https://age-encryption.org/v1"
    ),
    Format(
        "anthropic-key",
        r"sk-ant-[a-z]{3,}\d\d-[A-Za-z0-9_-]{80,}",
        "https://docs.anthropic.com/en/api/getting-started",
    ),
    Format(
        "openai-key",
        r"sk-(?:(?:proj|svcacct|admin)-)?[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}",
        "https://platform.openai.com/docs/api-reference/authentication",
    ),
    Format("hugging-face-token", r"hf_[A-Za-z]{34}", "https://huggingface.co/docs/hub/security-tokens"),
    Format("new-relic-key", r"NRAK-[A-Z0-9]{27}", "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/"),
    Format(
        "shopify-token", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}", "https://shopify.dev/docs/apps/build/authentication"
    ),
    Format("linear-key", r"lin_api_[A-Za-z0-9]{40}", "https://linear.app/developers/graphql"),
    Format(
        "pulumi-token", r"pul-[0-9a-f]{40}", "https://www.pulumi.com/docs/administration/access-identity/access-tokens/"
    ),
    Format(
        "doppler-token",
        r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]+\.)?[A-Za-z0-9]{40,44}",
        "https://docs.doppler.com/docs/service-tokens",
    ),
    Format("sentry-token", r"sntry[su]_[A-Za-z0-9+/=_-]{43,}", "https://docs.sentry.io/account/auth-tokens/"),
    Format(
        "atlassian-token",
        r"ATATT3[A-Za-z0-9_=-]{60,}",
        "https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/",
    ),
    Format(
        "postman-key",
        r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}",
        "https://learning.postman.com/docs/developer/postman-api/authentication/",
    ),
    Format("rubygems-key", r"rubygems_[0-9a-f]{48}", "https://guides.rubygems.org/api-key-scopes/"),
    Format(
        "tailscale-key",
        r"tskey-(?:auth|api|client|scim|webhook)-[A-Za-z0-9]+-[A-Za-z0-9]{20,}",
        "https://tailscale.com/kb/1085/auth-keys",
    ),
    Format(
        "dynatrace-token",
        r"dt0[a-z]\d\d\.[A-Z2-7]{24}\.[A-Z2-7]{64}",
        "https://docs.dynatrace.com/docs/manage/identity-access-management/access-tokens-and-oauth-clients/access-tokens",
    ),
    Format(
        "figma-token", r"fig[dou]r?_[A-Za-z0-9_-]{40,}", "https://developers.figma.com/docs/rest-api/authentication/"
    ),
    Format(
        "packagist-token", r"packagist_[ou][ru]t_[0-9a-f]{68}", "https://packagist.com/docs/composer-authentication"
    ),
    Format("telegram-bot-token", r"\d{8,10}:AA[A-Za-z0-9_-]{33}", "https://core.telegram.org/bots/features#botfather"),
    Format(
        "jwt",
        r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{16,}",
        "https://www.rfc-editor.org/rfc/rfc7519",
    ),
)


@cache
def _all() -> re.Pattern[str]:
    """Return all formats as one pattern. Compiled when a text looks like a token, which is seldom: it takes 20 ms."""
    return re.compile(
        r"(?<![A-Za-z0-9])(?:" + "|".join(f"({format_.pattern})" for format_ in FORMATS) + r")(?![A-Za-z0-9])"
    )


_HEAD = re.compile(
    r"A(?:KIA|SIA)[A-Z2-7]|gh[pousr]_|github_pat_|npm_|gl[a-z]{2,5}-[A-Za-z0-9_-]|xox[abepor][-.]|xapp-|hooks\.slack"
    r"|discord|AIza|GOCSPX-|\dQ~"
    r"|[sr]k_(?:live|test)_|whsec_|SG\.|hv[sbr]\.|\.atlasv1\.|dckr_|do[opr]_v1_|dapi[0-9a-f]|glsa_|glc_|pypi-"
    r"|AGE-SECRET|sk-|hf_|NRAK-"
    r"|shp(?:at|ca|pa|ss)_|lin_api_|pul-|dp\.[a-z]|sntry[su]_|ATATT3|PMAK-|rubygems_|tskey-|dt0[a-z]|fig[dou]r?_"
    r"|packagist_|:AA[A-Za-z0-9_-]|eyJ"
)
"""What every token starts with or holds; a test holds it to the patterns."""
_SHORTEST = 20


def may_hold_token(text: str) -> bool:
    """Return whether a look for tokens is worth its price; false means that there is none."""
    return len(text) >= _SHORTEST and _HEAD.search(text) is not None


def tokens(text: str) -> Iterator[Token]:
    """Yield every token in `text` with its place, left to right. A wrong checksum is no token."""
    if not may_hold_token(text):
        return
    for match in _all().finditer(text):
        format_ = FORMATS[(match.lastindex or 1) - 1]
        if format_.check is None or format_.check(match[0]):
            yield Token(match.start(), match.end(), format_.rule)
