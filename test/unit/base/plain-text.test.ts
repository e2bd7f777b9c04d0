import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { plainText } from "../../../agent/base/plain-text";

describe("plainText", () => {
  test("leaves ordinary names in any script alone", () => {
    for (const name of ["EXPIRE", "/app/naïve.js:42", "日本語", "emoji 🐕 too", "", 'a "b" \\ c']) {
      expect(plainText(name, 100)).toBe(name);
    }
  });

  test("writes control characters, escapes and bidirectional overrides as code points", () => {
    expect(plainText("a\u001b[31mb", 100)).toBe("a\\u001b[31mb");
    expect(plainText("a\nb\rc\td\u0000", 100)).toBe("a\\u000ab\\u000dc\\u0009d\\u0000");
    expect(plainText("\u202eevil\u2028\u0085", 100)).toBe("\\u202eevil\\u2028\\u0085");
    expect(plainText("\u{e0001}", 100)).toBe("\\u{e0001}");
  });

  test("cuts what is too long and says so", () => {
    expect(plainText("abcdef", 6)).toBe("abcdef");
    expect(plainText("abcdefg", 6)).toBe("abcdef…");
  });

  test("a character cut in two leaves no lone surrogate behind", () => {
    expect(plainText("ab🐕", 3)).toBe("ab\\ud83d…");
  });

  test("gives one well-formed line for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        const safe = plainText(text, 50);
        expect(safe).not.toMatch(/[\p{Cc}\p{Cs}]/u);
        expect(safe.split(/\r?\n|\u2028|\u2029/)).toHaveLength(1);
      }),
    );
  });
});
