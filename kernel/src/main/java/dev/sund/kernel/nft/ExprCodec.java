package dev.sund.kernel.nft;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * Expressions as attributes: NFTA_LIST_ELEM { NFTA_EXPR_NAME, NFTA_EXPR_DATA {...} }.
 *
 * <p>An expression that holds an attribute or a number which is not known here is decoded as {@link
 * Expr.Unknown} as a whole: half an expression would compare equal to something else.
 */
final class ExprCodec {
  private static final int EXPR_NAME = 1;
  private static final int EXPR_DATA = 2;
  static final int LIST_ELEM = 1;

  private static final int BITWISE_MASK_XOR = 0;
  private static final int BITWISE_LSHIFT = 1;
  private static final int BITWISE_RSHIFT = 2;

  /** Thrown inside this class when an expression says more than its record can. */
  private static final class NotKnown extends Exception {
    private static final long serialVersionUID = 1;

    NotKnown() {
      super("", null, false, false);
    }
  }

  private ExprCodec() {}

  // Encoding.

  static void write(NlWriter out, Expr expr) {
    out.nest(LIST_ELEM).string(EXPR_NAME, name(expr));
    if (expr instanceof Expr.Unknown(var _, var attributes)) {
      out.bytes(EXPR_DATA, attributes.toArray());
    } else {
      out.nest(EXPR_DATA);
      writeAttributes(out, expr);
      out.unnest();
    }
    out.unnest();
  }

  private static String name(Expr expr) {
    return switch (expr) {
      case Expr.Payload _, Expr.PayloadSet _ -> "payload";
      case Expr.Cmp _ -> "cmp";
      case Expr.Range _ -> "range";
      case Expr.Meta _, Expr.MetaSet _ -> "meta";
      case Expr.Ct _, Expr.CtSet _ -> "ct";
      case Expr.Lookup _ -> "lookup";
      case Expr.Immediate _ -> "immediate";
      case Expr.Bitwise _, Expr.Shift _ -> "bitwise";
      case Expr.ByteOrder _ -> "byteorder";
      case Expr.Masquerade _ -> "masq";
      case Expr.Nat _ -> "nat";
      case Expr.Counter _ -> "counter";
      case Expr.Log _ -> "log";
      case Expr.Reject _ -> "reject";
      case Expr.Fib _ -> "fib";
      case Expr.Numgen _ -> "numgen";
      case Expr.Hash _ -> "hash";
      case Expr.Limit _ -> "limit";
      case Expr.Unknown(var name, var _) -> name;
    };
  }

  private static void writeAttributes(NlWriter out, Expr expr) {
    switch (expr) {
      case Expr.Payload(var into, var header, var offset, var length) ->
          out.be32(1, into.number()).be32(2, header.ordinal()).be32(3, offset).be32(4, length);
      case Expr.PayloadSet p ->
          out.be32(2, p.header().ordinal())
              .be32(3, p.offset())
              .be32(4, p.length())
              .be32(5, p.from().number())
              .be32(6, p.checksumType())
              .be32(7, p.checksumOffset())
              .be32(8, p.checksumFlags());
      case Expr.Cmp(var from, var op, var value) ->
          writeValue(out.be32(1, from.number()).be32(2, op.ordinal()), 3, value);
      case Expr.Range(var from, var inverted, var low, var high) -> {
        writeValue(out.be32(1, from.number()).be32(2, inverted ? 1 : 0), 3, low);
        writeValue(out, 4, high);
      }
      case Expr.Meta(var key, var into) -> out.be32(2, key.ordinal()).be32(1, into.number());
      case Expr.MetaSet(var key, var from) -> out.be32(2, key.ordinal()).be32(3, from.number());
      case Expr.Ct(var key, var direction, var into) ->
          writeDirection(out.be32(2, key.ordinal()).be32(1, into.number()), direction);
      case Expr.CtSet(var key, var direction, var from) ->
          writeDirection(out.be32(2, key.ordinal()).be32(4, from.number()), direction);
      case Expr.Lookup(var set, var from, var into, var inverted) -> {
        out.be32(2, from.number());
        into.ifPresent(reg -> out.be32(3, reg.number()));
        out.string(1, set);
        if (inverted) {
          out.be32(5, 1);
        }
      }
      case Expr.Immediate(var into, var data) -> writeData(out.be32(1, into.number()), 2, data);
      case Expr.Bitwise(var from, var into, var mask, var xor) -> {
        out.be32(1, from.number())
            .be32(2, into.number())
            .be32(6, BITWISE_MASK_XOR)
            .be32(3, mask.length());
        writeValue(out, 4, mask);
        writeValue(out, 5, xor);
      }
      case Expr.Shift(var from, var into, var length, var left, var bits) -> {
        out.be32(1, from.number())
            .be32(2, into.number())
            .be32(6, left ? BITWISE_LSHIFT : BITWISE_RSHIFT)
            .be32(3, length);
        writeValue(out, 7, Bytes.host32(bits));
      }
      case Expr.ByteOrder(var from, var into, var toNetwork, var length, var size) ->
          out.be32(1, from.number())
              .be32(2, into.number())
              .be32(3, toNetwork ? 1 : 0)
              .be32(4, length)
              .be32(5, size);
      case Expr.Masquerade(var flags, var portMin, var portMax) -> {
        if (flags != 0) {
          out.be32(1, flags);
        }
        writeReg(out, 2, portMin);
        writeReg(out, 3, portMax);
      }
      case Expr.Nat nat -> writeNat(out, nat);
      case Expr.Counter(var packets, var bytes) -> out.be64(1, bytes).be64(2, packets);
      case Expr.Log log -> writeLog(out, log);
      case Expr.Reject(var type, var code) -> out.be32(1, type.ordinal()).u8(2, code);
      case Expr.Fib(var into, var result, var flags) ->
          out.be32(3, flags).be32(2, result.ordinal() + 1).be32(1, into.number());
      case Expr.Numgen(var into, var modulus, var random, var offset) ->
          out.be32(1, into.number())
              .be32(2, (int) modulus)
              .be32(3, random ? 1 : 0)
              .be32(4, (int) offset);
      case Expr.Hash hash -> writeHash(out, hash);
      case Expr.Limit limit ->
          out.be64(1, limit.rate())
              .be64(2, limit.unitSeconds())
              .be32(4, limit.bytes() ? 1 : 0)
              .be32(5, limit.inverted() ? 1 : 0)
              .be32(3, (int) limit.burst());
      case Expr.Unknown _ -> throw new AssertionError("written as it is");
    }
  }

  private static void writeNat(NlWriter out, Expr.Nat nat) {
    out.be32(1, nat.destination() ? 1 : 0).be32(2, natFamily(nat.family()));
    writeReg(out, 3, nat.addressMin());
    writeReg(out, 4, nat.addressMax());
    writeReg(out, 5, nat.portMin());
    writeReg(out, 6, nat.portMax());
    if (nat.flags() != 0) {
      out.be32(7, nat.flags());
    }
  }

  private static void writeLog(NlWriter out, Expr.Log log) {
    if (!log.prefix().isEmpty()) {
      out.string(2, log.prefix());
    }
    if (log.group().isPresent()) {
      out.be16(1, log.group().get());
      if (log.snapLength() != 0) {
        out.be32(3, log.snapLength());
      }
      if (log.threshold() != 0) {
        out.be16(4, log.threshold());
      }
    } else {
      out.be32(5, log.level());
      if (log.flags() != 0) {
        out.be32(6, log.flags());
      }
    }
  }

  private static void writeHash(NlWriter out, Expr.Hash hash) {
    writeReg(out, 1, hash.from());
    out.be32(2, hash.into().number());
    if (!hash.symmetric()) {
      out.be32(3, hash.length());
    }
    out.be32(4, (int) hash.modulus());
    hash.seed().ifPresent(seed -> out.be32(5, seed));
    out.be32(6, (int) hash.offset()).be32(7, hash.symmetric() ? 1 : 0);
  }

  private static void writeReg(NlWriter out, int type, Optional<Reg> reg) {
    reg.ifPresent(it -> out.be32(type, it.number()));
  }

  private static void writeDirection(NlWriter out, Optional<Expr.CtDirection> direction) {
    direction.ifPresent(it -> out.u8(3, it.ordinal()));
  }

  private static void writeValue(NlWriter out, int type, Bytes value) {
    out.nest(type).bytes(1, value.toArray()).unnest();
  }

  /** NFTA_DATA_VALUE, or NFTA_DATA_VERDICT { CODE, CHAIN }. */
  static void writeData(NlWriter out, int type, Data data) {
    switch (data) {
      case Data.Value(var bytes) -> writeValue(out, type, bytes);
      case Data.To(var verdict) -> {
        out.nest(type).nest(2).be32(1, verdict.code());
        switch (verdict) {
          case Verdict.Jump(var chain) -> out.string(2, chain);
          case Verdict.Goto(var chain) -> out.string(2, chain);
          case Verdict.Plain _ -> {}
        }
        out.unnest().unnest();
      }
    }
  }

  private static int natFamily(NftFamily family) {
    return family.number();
  }

  // Decoding.

  /** Reads NFTA_EXPR_NAME and NFTA_EXPR_DATA. */
  static Expr read(NlReader in) throws KernelException {
    String name = "";
    byte[] attributes = new byte[0];
    while (in.next()) {
      switch (in.type()) {
        case EXPR_NAME -> name = in.string();
        case EXPR_DATA -> attributes = in.bytes();
        default -> {}
      }
    }
    if (name.isEmpty()) {
      throw new Malformed("nf_tables expression", "it has no name");
    }
    try {
      return read(name, new Attributes(new NlReader(attributes)));
    } catch (NotKnown | IllegalArgumentException _) {
      // A register or length that no record takes: keep the bytes, which say more than an error.
      return new Expr.Unknown(name, Bytes.of(attributes));
    }
  }

  private static Expr read(String name, Attributes in) throws KernelException, NotKnown {
    return switch (name) {
      case "payload" -> payload(in);
      case "cmp" -> new Expr.Cmp(in.reg(1), in.pick(2, Expr.Op.values()), in.value(3));
      case "range" -> new Expr.Range(in.reg(1), in.flag(2), in.value(3), in.value(4));
      case "meta" ->
          in.has(3)
              ? new Expr.MetaSet(in.pick(2, Expr.MetaKey.values()), in.reg(3))
              : new Expr.Meta(in.pick(2, Expr.MetaKey.values()), in.reg(1));
      case "ct" ->
          in.has(4)
              ? new Expr.CtSet(in.pick(2, Expr.CtKey.values()), in.direction(3), in.reg(4))
              : new Expr.Ct(in.pick(2, Expr.CtKey.values()), in.direction(3), in.reg(1));
      case "lookup" ->
          new Expr.Lookup(in.string(1), in.reg(2), in.optionalReg(3), (in.number(5, 0) & 1) != 0);
      case "immediate" -> new Expr.Immediate(in.reg(1), in.data(2));
      case "bitwise" -> bitwise(in);
      case "byteorder" ->
          new Expr.ByteOrder(in.reg(1), in.reg(2), in.flag(3), in.number(4), in.number(5));
      case "masq" -> new Expr.Masquerade(in.number(1, 0), in.optionalReg(2), in.optionalReg(3));
      case "nat" ->
          new Expr.Nat(
              in.flag(1),
              NftFamily.of(in.number(2)).orElseThrow(NotKnown::new),
              in.optionalReg(3),
              in.optionalReg(4),
              in.optionalReg(5),
              in.optionalReg(6),
              in.number(7, 0));
      case "counter" -> new Expr.Counter(in.big(2), in.big(1));
      case "log" ->
          new Expr.Log(
              in.has(2) ? in.string(2) : "",
              in.has(1) ? Optional.of(in.small(1)) : Optional.empty(),
              in.has(1) ? 0 : in.number(5, 4),
              in.number(6, 0),
              in.number(3, 0),
              in.has(4) ? in.small(4) : 0);
      case "reject" ->
          new Expr.Reject(in.pick(1, Expr.RejectType.values()), in.has(2) ? in.octet(2) : 0);
      case "fib" ->
          new Expr.Fib(in.reg(1), Expr.FibResult.values()[in.index(2, 1, 3) - 1], in.number(3, 0));
      case "numgen" ->
          new Expr.Numgen(
              in.reg(1),
              Integer.toUnsignedLong(in.number(2)),
              in.index(3, 0, 1) == 1,
              Integer.toUnsignedLong(in.number(4, 0)));
      case "hash" -> hash(in);
      case "limit" ->
          new Expr.Limit(
              in.big(1),
              in.big(2),
              Integer.toUnsignedLong(in.number(3, 0)),
              in.index(4, 0, 1) == 1,
              (in.number(5, 0) & 1) != 0);
      default -> throw new NotKnown();
    };
  }

  private static Expr payload(Attributes in) throws KernelException, NotKnown {
    Expr.Header header = in.pick(2, Expr.Header.values());
    return in.has(5)
        ? new Expr.PayloadSet(
            in.reg(5),
            header,
            in.number(3),
            in.number(4),
            in.number(6, 0),
            in.number(7, 0),
            in.number(8, 0))
        : new Expr.Payload(in.reg(1), header, in.number(3), in.number(4));
  }

  private static Expr bitwise(Attributes in) throws KernelException, NotKnown {
    return switch (in.number(6, BITWISE_MASK_XOR)) {
      case BITWISE_MASK_XOR -> new Expr.Bitwise(in.reg(1), in.reg(2), in.value(4), in.value(5));
      case BITWISE_LSHIFT, BITWISE_RSHIFT -> {
        Bytes bits = in.value(7);
        if (bits.length() != 4) {
          throw new NotKnown();
        }
        int count =
            new Userdata(List.of(new Userdata.Entry(0, bits))).number(0).orElseThrow(NotKnown::new);
        yield new Expr.Shift(
            in.reg(1), in.reg(2), in.number(3), in.number(6) == BITWISE_LSHIFT, count);
      }
      default -> throw new NotKnown();
    };
  }

  private static Expr hash(Attributes in) throws KernelException, NotKnown {
    boolean symmetric = in.index(7, 0, 1) == 1;
    return new Expr.Hash(
        in.optionalReg(1),
        in.reg(2),
        symmetric ? 0 : in.number(3),
        Integer.toUnsignedLong(in.number(4)),
        in.has(5) ? Optional.of(in.number(5)) : Optional.empty(),
        Integer.toUnsignedLong(in.number(6, 0)),
        symmetric);
  }

  /** Reads NFTA_DATA_VALUE or NFTA_DATA_VERDICT. */
  static Data readData(NlReader in) throws KernelException {
    while (in.next()) {
      switch (in.type()) {
        case 1 -> {
          return new Data.Value(Bytes.of(in.bytes()));
        }
        case 2 -> {
          return new Data.To(readVerdict(in.nested()));
        }
        default -> {}
      }
    }
    throw new Malformed("nf_tables data", "it has neither value nor verdict");
  }

  private static Verdict readVerdict(NlReader in) throws KernelException {
    int code = -1;
    String chain = "";
    while (in.next()) {
      switch (in.type()) {
        case 1 -> code = in.be32();
        case 2 -> chain = in.string();
        default -> {}
      }
    }
    return switch (code) {
      case -3 -> new Verdict.Jump(chain);
      case -4 -> new Verdict.Goto(chain);
      default -> new Verdict.Plain(code);
    };
  }

  /** The attributes of one expression by type; types up to 15 are enough for all that we know. */
  private static final class Attributes {
    private static final int MAX = 16;
    private final byte[][] values = new byte[MAX][];
    private final boolean[] present = new boolean[MAX];

    Attributes(NlReader in) throws KernelException, NotKnown {
      while (in.next()) {
        if (in.type() >= MAX) {
          throw new NotKnown();
        }
        values[in.type()] = in.bytes();
        present[in.type()] = true;
      }
    }

    boolean has(int type) {
      return present[type];
    }

    private NlReader at(int type, int length) throws NotKnown {
      if (!present[type] || values[type].length < length) {
        throw new NotKnown();
      }
      return new NlReader(values[type]);
    }

    int number(int type) throws KernelException, NotKnown {
      return at(type, 4).takeBe32();
    }

    int number(int type, int otherwise) throws KernelException, NotKnown {
      return present[type] ? number(type) : otherwise;
    }

    int small(int type) throws KernelException, NotKnown {
      return at(type, 2).takeBe16();
    }

    int octet(int type) throws KernelException, NotKnown {
      return at(type, 1).takeU8();
    }

    long big(int type) throws KernelException, NotKnown {
      NlReader in = at(type, 8);
      return ((long) in.takeBe32() << 32) | Integer.toUnsignedLong(in.takeBe32());
    }

    int index(int type, int from, int to) throws KernelException, NotKnown {
      int value = number(type, 0);
      if (value < from || value > to) {
        throw new NotKnown();
      }
      return value;
    }

    boolean flag(int type) throws KernelException, NotKnown {
      return index(type, 0, 1) == 1;
    }

    <E extends Enum<E>> E pick(int type, E[] words) throws KernelException, NotKnown {
      int value = number(type);
      if (value < 0 || value >= words.length) {
        throw new NotKnown();
      }
      return words[value];
    }

    Reg reg(int type) throws KernelException, NotKnown {
      return new Reg(number(type));
    }

    Optional<Reg> optionalReg(int type) throws KernelException, NotKnown {
      return present[type] ? Optional.of(reg(type)) : Optional.empty();
    }

    Optional<Expr.CtDirection> direction(int type) throws KernelException, NotKnown {
      if (!present[type]) {
        return Optional.empty();
      }
      int value = octet(type);
      if (value > 1) {
        throw new NotKnown();
      }
      return Optional.of(Expr.CtDirection.values()[value]);
    }

    String string(int type) throws KernelException, NotKnown {
      NlReader in = at(type, 0);
      byte[] bytes = in.rest();
      int end = 0;
      while (end < bytes.length && bytes[end] != 0) {
        end++;
      }
      return new String(bytes, 0, end, StandardCharsets.UTF_8);
    }

    Data data(int type) throws KernelException, NotKnown {
      return readData(at(type, 0));
    }

    Bytes value(int type) throws KernelException, NotKnown {
      if (data(type) instanceof Data.Value(var bytes)) {
        return bytes;
      }
      throw new NotKnown();
    }
  }
}
