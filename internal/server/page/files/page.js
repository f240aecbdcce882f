// The invitation page. It reads what stands behind the # in the address, says who invites
// to which server, and offers the program and the invitation. It sends nothing anywhere.
"use strict";
(() => {
  const texts = {
    de: {
      say: "sotto voce:\nmit leiser Stimme,\nfür die, die nah sind.",
      what: "Schreiben, und wissen, dass nur die im Gespräch lesen können, was dort gesagt wird. Die Server dazwischen tragen es verschlossen.",
      free: "Freie Software. Keine Telefonnummer, kein Adressbuch, keine Werbung.",
      invited: "Eine Einladung", lead: "Um auf {host} mit sotto zu schreiben.",
      by: "{name} lädt dich ein", room: "Ins Gespräch „{title}“ auf {host}.", contact: "Um {handle} mit sotto zu schreiben.",
      account: "Um auf {host} dabei zu sein und {handle} zu schreiben.",
      until: "Gültig bis {date}.", over: "Diese Einladung galt bis {date}. Bitte um eine neue.",
      approve: "Dort lässt dich dann jemand herein.",
      damaged: "Diese Einladung ist nicht ganz: kopiere die Adresse bis zum Ende, oder bitte um eine neue.",
      empty: "In dieser Adresse steht keine Einladung. Sie endet mit einem # und dem, was danach kommt.",
      elsewhere: "Diese Einladung führt zu einem anderen Server als dieser Seite: {host}. Frage nach, von wem sie kommt.",
      get: "Hol dir sotto", "for": "Für {system} laden", others: "Für andere Systeme", sum: "SHA-256 davon",
      none: "Dieser Server hat für {system} kein Programm.", noneAny: "Dieser Server bietet kein Programm an.",
      phone: "Für Telefone gibt es sotto noch nicht. Öffne die Einladung an einem Computer.",
      build: "Frage, wer ihn betreibt, oder baue es aus dem Quelltext mit Go 1.26:",
      hand: "Gib ihm die Einladung", open: "In sotto öffnen", copy: "Einladung kopieren", copied: "Kopiert.",
      hint: "Wenn nichts aufgeht: kopiere sie, und füge sie ein, wo sotto fragt, wie du hereinkommst.",
      quiet: "Was in der Adresse hinter dem # steht, hat nur dein Browser gelesen. Vom Ansehen wird nichts verbraucht.",
    },
    es: {
      say: "sotto voce:\nen voz baja,\npara quienes están cerca.",
      what: "Escribe sabiendo que solo quienes están en la conversación pueden leer lo que se dice. Los servidores la llevan cerrada.",
      free: "Software libre. Sin número de teléfono, sin libreta de direcciones, sin publicidad.",
      invited: "Una invitación", lead: "Para escribir en {host} con sotto.",
      by: "{name} te invita", room: "A la conversación «{title}» en {host}.", contact: "Para escribir a {handle} con sotto.",
      account: "Para estar en {host} y escribir a {handle}.",
      until: "Vale hasta el {date}.", over: "Esta invitación valía hasta el {date}. Pide una nueva.",
      approve: "Allí alguien te dejará entrar.",
      damaged: "Esta invitación no está entera: copia la dirección hasta el final o pide una nueva.",
      empty: "En esta dirección no hay ninguna invitación. Termina con un # y lo que le sigue.",
      elsewhere: "Esta invitación lleva a otro servidor que esta página: {host}. Pregunta de quién viene.",
      get: "Consigue sotto", "for": "Descargar para {system}", others: "Para otros sistemas", sum: "Su SHA-256",
      none: "Este servidor no tiene programa para {system}.", noneAny: "Este servidor no ofrece ningún programa.",
      phone: "Todavía no hay sotto para teléfonos. Abre la invitación en un ordenador.",
      build: "Pregunta a quien lo lleva, o constrúyelo desde su código con Go 1.26:",
      hand: "Dale la invitación", open: "Abrir en sotto", copy: "Copiar la invitación", copied: "Copiada.",
      hint: "Si no se abre nada, cópiala y pégala donde sotto pregunta cómo entras.",
      quiet: "Lo que está detrás del # en la dirección solo lo ha leído tu navegador. Mirar no gasta nada.",
    },
    en: {
      by: "{name} invites you", room: "To the conversation “{title}” on {host}.", contact: "To write to {handle} with sotto.",
      account: "To be on {host}, and write to {handle}.", lead: "To write on {host} with sotto.",
      until: "It is good until {date}.", over: "This invitation was good until {date}. Ask for a new one.",
      approve: "Somebody lets you in there.",
      damaged: "This invitation is not whole: copy the address to its end, or ask for a new one.",
      empty: "There is no invitation in this address. It ends with a # and what follows it.",
      elsewhere: "This invitation leads to another server than this page: {host}. Ask who sent it.",
      "for": "Download for {system}", none: "This server has no program for {system}.", noneAny: "This server has no program to offer.",
      copied: "Copied.",
    },
  };
  const $ = (id) => document.getElementById(id);
  const language = (navigator.languages || [navigator.language || "en"])
    .map((l) => l.slice(0, 2).toLowerCase()).find((l) => texts[l]) || "en";
  const t = texts[language];

  // plain is a text of somebody else's in one line: nothing in it reorders, hides or piles up.
  const plain = (s) => s.normalize("NFC").replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/gu, (c) => c === "\u200d" ? c : "")
    .replace(/(\p{M}{3})\p{M}+/gu, "$1").trim().slice(0, 80);

  // put fills a text with values, each an element of its own that keeps to itself.
  const put = (node, text, values) => {
    node.replaceChildren();
    for (const part of text.split(/(\{\w+\}|\n)/)) {
      if (part === "\n") {
        node.append(document.createElement("br"));
      } else if (/^\{\w+\}$/.test(part)) {
        const b = document.createElement("bdi");
        b.textContent = (values || {})[part.slice(1, -1)] || "";
        node.append(b);
      } else {
        node.append(part);
      }
    }
  };

  // cbor decodes the part of RFC 8949 that a link is written in: one map of small numbers to
  // numbers, texts, byte strings and booleans.
  const cbor = (bytes) => {
    let at = 0;
    const head = () => {
      const first = bytes[at++], major = first >> 5, low = first & 31;
      if (first === undefined || low > 27) throw 0;
      if (low < 24) return [major, low];
      let n = 0;
      for (let i = 1 << (low - 24); i > 0; i--) {
        if (at >= bytes.length) throw 0;
        n = n * 256 + bytes[at++];
      }
      return [major, n];
    };
    const value = () => {
      const [major, n] = head();
      if (major === 0) return n;
      if (major === 7 && (n === 20 || n === 21)) return n === 21;
      if (major !== 2 && major !== 3 || at + n > bytes.length) throw 0;
      const b = bytes.subarray(at, at += n);
      return major === 2 ? b : new TextDecoder("utf-8", { fatal: true }).decode(b);
    };
    const [major, n] = head(), out = new Map();
    if (major !== 5 || n > 24) throw 0;
    for (let i = 0; i < n; i++) {
      const [m, k] = head();
      if (m !== 0 || out.has(k)) throw 0;
      out.set(k, value());
    }
    if (at !== bytes.length) throw 0;
    return out;
  };

  // link reads the invitation: kind, host, handle, name, title, until, approve; null if it
  // is not whole. The program checks it strictly; here it is only shown.
  const link = (fragment) => {
    try {
      if (!/^[A-Za-z0-9_-]{1,2048}$/.test(fragment)) return null;
      const raw = atob(fragment.replace(/-/g, "+").replace(/_/g, "/"));
      const m = cbor(Uint8Array.from(raw, (c) => c.charCodeAt(0)));
      const text = (k) => typeof m.get(k) === "string" ? plain(m.get(k)) : "";
      const l = { kind: m.get(1), host: text(2), handle: text(3), name: text(5), title: text(7), until: m.get(10) || 0, approve: m.get(11) === true };
      return [1, 2, 3].includes(l.kind) && l.host ? l : null;
    } catch {
      return null;
    }
  };

  const trouble = (text, values) => {
    put($("trouble"), text, values);
    $("trouble").hidden = false;
  };

  // show says what the invitation is, and answers whether it can be handed on.
  const show = () => {
    const fragment = location.hash.slice(1), l = fragment ? link(fragment) : null;
    const host = location.host.replace(/:443$/, "");
    $("trouble").hidden = true;
    $("give").hidden = true;
    put($("title"), t.invited || "You are invited");
    put($("lead"), t.lead, { host });
    if (!fragment) return trouble(t.empty);
    if (!l) return trouble(t.damaged);
    if (l.host !== host) return trouble(t.elsewhere, { host: l.host });
    if (l.handle) put($("title"), t.by, { name: l.name || l.handle.split("@")[0] });
    const date = l.until && new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" }).format(new Date(Math.min(l.until, 8.64e15)));
    const kind = l.kind === 3 ? t.room : !l.handle ? t.lead : l.kind === 2 ? t.contact : t.account;
    const lines = [kind];
    if (l.kind === 3 && l.approve) lines.push(t.approve);
    if (l.until && l.until > Date.now()) lines.push(t.until);
    put($("lead"), lines.join(" "), { host, handle: l.handle, title: l.title, date });
    if (l.until && l.until <= Date.now()) return trouble(t.over, { date });
    $("open").href = "sotto:" + fragment;
    $("give").hidden = false;
    document.title = $("title").textContent + " · sotto";
  };

  const copy = async () => {
    const whole = location.href;
    try {
      await navigator.clipboard.writeText(whole);
    } catch {
      const area = document.createElement("textarea");
      area.value = whole;
      area.setAttribute("readonly", "");
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      if (!done) return;
    }
    put($("copied"), t.copied);
  };

  // system is what this browser says that it runs on.
  const system = async () => {
    const agent = navigator.userAgent, data = navigator.userAgentData;
    if (/Android|iPhone|iPad|iPod/.test(agent) || data && data.mobile || /Macintosh/.test(agent) && navigator.maxTouchPoints > 1) return { phone: true };
    const os = /Windows/.test(agent) ? "windows" : /Macintosh|Mac OS X/.test(agent) ? "darwin" : /FreeBSD/.test(agent) ? "freebsd" : /Linux|X11/.test(agent) ? "linux" : "";
    let arch = /aarch64|arm64/i.test(agent) ? "arm64" : /armv\d/i.test(agent) ? "arm" : os === "darwin" ? "arm64" : "amd64";
    if (data && data.getHighEntropyValues) {
      try {
        const more = await data.getHighEntropyValues(["architecture", "bitness"]);
        if (more.architecture === "arm") arch = more.bitness === "32" ? "arm" : "arm64";
        if (more.architecture === "x86") arch = more.bitness === "32" ? "386" : "amd64";
      } catch { /* the browser keeps it to itself */ }
    }
    return { os, arch };
  };

  // offer puts the visitor's own program first.
  const offer = async () => {
    const names = { windows: "Windows", darwin: "macOS", linux: "Linux", freebsd: "FreeBSD" };
    const here = await system(), rows = [...document.querySelectorAll("#programs > li")];
    $("phone").hidden = !here.phone;
    const same = here.phone ? [] : rows.filter((r) => r.dataset.system === here.os);
    const mine = same.find((r) => r.dataset.arch === here.arch);
    if (mine) {
      const from = mine.querySelector("a"), a = document.createElement("a"), p = document.createElement("div");
      a.className = "btn primary";
      a.href = from.getAttribute("href");
      a.download = from.download;
      const words = document.createElement("span"); // a flex box would eat the spaces
      put(words, t.for, { system: names[here.os] });
      a.append(words);
      p.className = "buttons";
      p.append(a);
      $("mine").prepend(p);
      const sum = mine.querySelector("details.sum");
      $("mine").append(sum);
      mine.remove();
    } else if (!here.phone) {
      put($("none"), names[here.os] ? t.none : t.noneAny, { system: names[here.os] });
      $("none").hidden = $("build").hidden = false;
    }
    $("others").hidden = document.querySelectorAll("#programs > li").length === 0;
    $("others").open = !mine && same.length > 0;
  };

  document.documentElement.lang = language;
  for (const node of document.querySelectorAll("[data-t]")) {
    if (language !== "en" && t[node.dataset.t]) put(node, t[node.dataset.t], { host: location.host });
  }
  $("copy").addEventListener("click", copy);
  addEventListener("hashchange", show);
  show();
  offer();
})();
