// Demangled names. The C++ ones are symbols of node 20 to 26 and what c++filt 2.40 makes of them.

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { demangle } from "../../../agent/stack/demangle";

describe("a C++ name", () => {
  test.each([
    ["_ZN4node7BuiltinD1Ev", "node::Builtin::~Builtin()"],
    [
      "_ZN2v88internal21Builtin_HandleApiCallEiPmPNS0_7IsolateE",
      "v8::internal::Builtin_HandleApiCall(int, unsigned long*, v8::internal::Isolate*)",
    ],
    [
      "_ZN4node2fsL4ReadERKN2v820FunctionCallbackInfoINS1_5ValueEEE",
      "node::fs::Read(v8::FunctionCallbackInfo<v8::Value> const&)",
    ],
    [
      "_ZN6v8impl12_GLOBAL__N_123FunctionCallbackWrapper6InvokeERKN2v820FunctionCallbackInfoINS2_5ValueEEE",
      "v8impl::(anonymous namespace)::FunctionCallbackWrapper::Invoke(v8::FunctionCallbackInfo<v8::Value> const&)",
    ],
    [
      "_ZN2v84base12CallOnceImplEPSt6atomicIhESt8functionIFvvEE",
      "v8::base::CallOnceImpl(std::atomic<unsigned char>*, std::function<void ()>)",
    ],
    [
      "_ZNSt17_Function_handlerIFbPKcEPS2_E9_M_invokeERKSt9_Any_dataOS1_",
      "std::_Function_handler<bool (char const*), bool (*)(char const*)>::_M_invoke(std::_Any_data const&, char const*&&)",
    ],
    ["_ZL8packDiffi", "packDiff(int)"],
    ["_Z8V8_FatalPKcz", "V8_Fatal(char const*, ...)"],
    [
      "_ZN2v88internal10ParserBaseINS0_6ParserEE15ReportMessageAtIJA11_cEEEvNS0_7Scanner8LocationENS0_15MessageTemplateEDpRKT_",
      "void v8::internal::ParserBase<v8::internal::Parser>::ReportMessageAt<char [11]>(v8::internal::Scanner::Location, v8::internal::MessageTemplate, char const (&) [11])",
    ],
    [
      "_ZSt4endlIcSt11char_traitsIcEERSt13basic_ostreamIT_T0_ES6_.isra.0",
      "std::basic_ostream<char, std::char_traits<char> >& std::endl<char, std::char_traits<char> >(std::basic_ostream<char, std::char_traits<char> >&) [clone .isra.0]",
    ],
    ["_ZTv0_n24_NSoD1Ev", "virtual thunk to std::ostream::~basic_ostream()"],
    ["_ZNK2v88internal6Object5PrintERSo", "v8::internal::Object::Print(std::ostream&) const"],
  ])("%s", (mangled, expected) => {
    expect(demangle(mangled)).toBe(expected);
  });
});

describe("a Rust name of the older scheme", () => {
  test("loses its hash and its escapes", () => {
    expect(demangle("_ZN4core3fmt5write17h0123456789abcdefE")).toBe("core::fmt::write");
    expect(
      demangle(
        "_ZN53_$LT$std..net..TcpStream$u20$as$u20$std..io..Read$GT$4read17h00112233445566ffE",
      ),
    ).toBe("<std::net::TcpStream as std::io::Read>::read");
  });
});

describe("a name that is not understood", () => {
  test.each([
    "redisBufferRead",
    "_start",
    "_ZN",
    "_Z",
    "_ZN4nodeE.???",
    "_ZN2v88internal7Factory24NewStringFromStaticCharsILm51EEENS0_6HandleINS0_6StringEEERAT__Kc",
    "_ZN1aS9_E",
    "_Z1fT_",
    "_Z1fDTcl1gEE",
  ])("%s is given as it is", (name) => {
    expect(demangle(name)).toBe(name);
  });

  test("and one that would grow without bounds too", () => {
    const pair = (inner: string): string => `4PairI${inner}S_E`;
    let type = "i";
    for (let depth = 0; depth < 60; depth += 1) type = pair(type);
    const name = `_Z1f${type}`;
    expect(demangle(name).length).toBeLessThanOrEqual(8192);
  });

  test("whatever it is, it comes back as text, soon", () => {
    const token = fc.constantFrom(
      ..."N S_ S0_ St E I J T_ T0_ P R K O F v i c 1a 4node L Z Ul UlvE_ C1 D2 Dp DpT_ X Lb1E M A3_ cv pl B".split(
        " ",
      ),
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 60 }), (tokens) => {
        expect(typeof demangle(`_Z${tokens.join("")}`)).toBe("string");
      }),
      { numRuns: 5000 },
    );
  });
});
