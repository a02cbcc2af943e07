package dev.sund.kernel.nft;

import java.util.Locale;
import java.util.Optional;

/** Expressions as people read them in conditions and logs, in the words of {@code nft --debug}. */
final class ExprText {
  private ExprText() {}

  static String of(Expr expr) {
    return switch (expr) {
      case Expr.Payload(var into, var header, var offset, var length) ->
          into + " = " + length + " bytes of " + lower(header) + " header at " + offset;
      case Expr.PayloadSet p ->
          p.length()
              + " bytes of "
              + lower(p.header())
              + " header at "
              + p.offset()
              + " = "
              + p.from();
      case Expr.Cmp(var from, var op, var value) -> from + " " + sign(op) + " " + value;
      case Expr.Range(var from, var inverted, var low, var high) ->
          from + (inverted ? " not in " : " in ") + low + "-" + high;
      case Expr.Meta(var key, var into) -> into + " = meta " + lower(key);
      case Expr.MetaSet(var key, var from) -> "meta " + lower(key) + " = " + from;
      case Expr.Ct(var key, var direction, var into) -> into + " = ct " + ct(key, direction);
      case Expr.CtSet(var key, var direction, var from) ->
          "ct " + ct(key, direction) + " = " + from;
      case Expr.Lookup(var set, var from, var into, var inverted) ->
          into.map(reg -> reg + " = ").orElse("")
              + from
              + (inverted ? " not in @" : into.isPresent() ? " by @" : " in @")
              + set;
      case Expr.CountAt(var set, var key) -> "count " + key + " @" + set;
      case Expr.Update(var set, var key, var data, var timeout) ->
          "update @"
              + set
              + " "
              + key
              + data.map(reg -> " : " + reg).orElse("")
              + timeout.map(time -> " timeout " + time.toMillis() + " ms").orElse("");
      case Expr.Immediate(var into, var data) ->
          into.equals(Reg.VERDICT) ? data.toString() : into + " = " + data;
      case Expr.Bitwise(var from, var into, var mask, var xor) ->
          into + " = " + from + " & " + mask + " ^ " + xor;
      case Expr.Shift(var from, var into, var _, var left, var bits) ->
          into + " = " + from + (left ? " << " : " >> ") + bits;
      case Expr.ByteOrder(var from, var into, var toNetwork, var length, var size) ->
          into
              + " = "
              + (toNetwork ? "hton" : "ntoh")
              + "("
              + from
              + ", "
              + length
              + ", "
              + size
              + ")";
      case Expr.Masquerade(var flags, var portMin, var portMax) ->
          "masquerade" + registers(" to port", portMin, portMax) + natFlags(flags);
      case Expr.Nat nat ->
          (nat.destination() ? "dnat " : "snat ")
              + nat.family()
              + registers(" to", nat.addressMin(), nat.addressMax())
              + registers(" port", nat.portMin(), nat.portMax())
              + natFlags(nat.flags());
      case Expr.Counter _ -> "counter";
      case Expr.Log log ->
          "log"
              + (log.prefix().isEmpty() ? "" : " \"" + log.prefix() + "\"")
              + log.group().map(group -> " group " + group).orElse(" level " + log.level());
      case Expr.Reject(var type, var code) -> "reject " + lower(type) + " " + code;
      case Expr.Fib(var into, var result, var flags) ->
          into + " = fib " + lower(result) + " flags " + flags;
      case Expr.Numgen(var into, var modulus, var random, var offset) ->
          into
              + " = numgen "
              + (random ? "random" : "inc")
              + " mod "
              + modulus
              + " offset "
              + offset;
      case Expr.Hash hash ->
          hash.into()
              + " = "
              + (hash.symmetric() ? "symhash" : "jhash")
              + hash.from().map(reg -> " " + reg).orElse("")
              + " mod "
              + hash.modulus()
              + " offset "
              + hash.offset();
      case Expr.Limit limit ->
          "limit rate "
              + (limit.inverted() ? "over " : "")
              + limit.rate()
              + (limit.bytes() ? " bytes" : "")
              + " each "
              + limit.unitSeconds()
              + " s";
      case Expr.Unknown(var name, var attributes) -> name + " " + attributes;
    };
  }

  private static String lower(Enum<?> word) {
    return word.name().toLowerCase(Locale.ROOT);
  }

  private static String ct(Expr.CtKey key, Optional<Expr.CtDirection> direction) {
    return direction.map(way -> lower(way) + " ").orElse("") + lower(key);
  }

  private static String sign(Expr.Op op) {
    return switch (op) {
      case EQ -> "==";
      case NEQ -> "!=";
      case LT -> "<";
      case LTE -> "<=";
      case GT -> ">";
      case GTE -> ">=";
    };
  }

  private static String registers(String word, Optional<Reg> min, Optional<Reg> max) {
    if (min.isEmpty()) {
      return "";
    }
    return word
        + " "
        + min.get()
        + (max.equals(min) ? "" : "-" + max.map(Reg::toString).orElse(""));
  }

  private static String natFlags(int flags) {
    return ((flags & Expr.NAT_RANDOM) != 0 ? " random" : "")
        + ((flags & Expr.NAT_FULLY_RANDOM) != 0 ? " fully-random" : "")
        + ((flags & Expr.NAT_PERSISTENT) != 0 ? " persistent" : "");
  }
}
