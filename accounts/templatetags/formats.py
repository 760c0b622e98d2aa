"""The admin's formats for templates (accounts.backoffice.formats describes each)."""

from __future__ import annotations

from django import template

from accounts.backoffice import formats

register = template.Library()

register.filter("kes", formats.kes)
register.filter("dial", formats.dial)
register.filter("dial_in", formats.dial_in)
register.filter("phone_link", formats.phone_link)
register.filter("moment", formats.moment)
register.simple_tag(formats.badge, name="badge")
register.simple_tag(formats.status_badge, name="status_badge")
