"""Channels for sending messages: e-mail by SMTP, SMS by the provider in the settings."""

from omachemainproj.sms import is_sms_on, sms_provider

__all__ = ["is_sms_on", "sms_provider"]
