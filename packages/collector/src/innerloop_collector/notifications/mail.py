"""E-mail through a configured SMTP server, as plain text."""

import contextlib
import smtplib
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from innerloop_collector.config.configuration import Channel
from innerloop_collector.exporters.failures import Refusing, Rejected, SendError, Unavailable, of_no_answer
from innerloop_collector.notifications.notice import Notice, as_text
from innerloop_collector.notifications.smtp import BoundedSmtp, connect

_POLICY = SMTP.clone(cte_type="7bit")  # of a server nobody knows yet whether it takes more


class Mail:
    """A way to some people's mailboxes."""

    def __init__(self, settings: Channel, password: str) -> None:
        self._settings = settings
        self._password = password

    def send(self, notice: Notice) -> str:
        """Deliver a notice. Returns what was wrong where some got it, and some did not. Raises SendError."""
        settings = self._settings
        try:
            server = connect(settings.host, settings.port, settings.tls, settings.timeout_seconds)
            try:
                refused = self._hand_over(server, notice)
                with contextlib.suppress(smtplib.SMTPException, OSError):
                    server.quit()
            finally:
                server.close()
        except (smtplib.SMTPException, OSError) as error:
            raise failure(error, settings.timeout_seconds) from error
        return f"it does not take mail for {refused} of {len(settings.to)} addresses" if refused else ""

    def _hand_over(self, server: BoundedSmtp, notice: Notice) -> int:
        """Returns how many addresses were refused, of which there is another."""
        settings = self._settings
        if settings.user:
            server.login(settings.user, self._password)
        return len(server.sendmail(settings.sender, list(settings.to), message(notice, settings).as_bytes()))


def message(notice: Notice, settings: Channel) -> EmailMessage:
    """A notice as mail. Nothing of it is one of its headers but the title and the id."""
    made = EmailMessage(policy=_POLICY)
    made["From"] = Address("innerloop", addr_spec=settings.sender)
    made["To"] = ", ".join(settings.to)
    made["Subject"] = notice.title
    made["Date"] = notice.made
    made["Message-ID"] = f"<{notice.id}@{settings.sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(as_text(notice) + "\n")
    return made


def failure(error: Exception, seconds: float) -> SendError:
    """Say what an error of smtplib means. What the server said is not in it: it may repeat what it was sent."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = min((code for code, _ in error.recipients.values()), default=0)
        return _of_code(code, "for any of the addresses in `to`")
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return _of_code(error.smtp_code, "of this user with this password")
    if isinstance(error, smtplib.SMTPSenderRefused):
        return _of_code(error.smtp_code, "from the address in `sender`")
    if isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500:
        return Rejected(f"it answered {error.smtp_code}")
    if isinstance(error, smtplib.SMTPResponseException):
        return _of_code(error.smtp_code, "like this")
    if isinstance(error, smtplib.SMTPServerDisconnected) or not isinstance(error, smtplib.SMTPException):
        return of_no_answer(error, seconds)
    return Refusing("it offers no TLS, or no way to sign in; see tls and user")


def _of_code(code: int, what: str) -> SendError:
    if code >= 500:
        return Refusing(f"it answered {code}: it takes no mail {what}")
    return Unavailable(f"it answered {code}" if code > 0 else "it does not speak SMTP")
