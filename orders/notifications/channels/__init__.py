"""Where messages leave: e-mail by SMTP, SMS by the provider that the settings name."""

from omachemainproj.sms import is_sms_on, sms_provider

__all__ = ["is_sms_on", "sms_provider"]
