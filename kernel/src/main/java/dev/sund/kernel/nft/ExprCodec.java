package dev.sund.kernel.nft;

import static dev.sund.kernel.nft.Nfta.BITWISE_DATA;
import static dev.sund.kernel.nft.Nfta.BITWISE_DREG;
import static dev.sund.kernel.nft.Nfta.BITWISE_LEN;
import static dev.sund.kernel.nft.Nfta.BITWISE_MASK;
import static dev.sund.kernel.nft.Nfta.BITWISE_OP;
import static dev.sund.kernel.nft.Nfta.BITWISE_SREG;
import static dev.sund.kernel.nft.Nfta.BITWISE_XOR;
import static dev.sund.kernel.nft.Nfta.BYTEORDER_DREG;
import static dev.sund.kernel.nft.Nfta.BYTEORDER_LEN;
import static dev.sund.kernel.nft.Nfta.BYTEORDER_OP;
import static dev.sund.kernel.nft.Nfta.BYTEORDER_SIZE;
import static dev.sund.kernel.nft.Nfta.BYTEORDER_SREG;
import static dev.sund.kernel.nft.Nfta.CMP_DATA;
import static dev.sund.kernel.nft.Nfta.CMP_OP;
import static dev.sund.kernel.nft.Nfta.CMP_SREG;
import static dev.sund.kernel.nft.Nfta.COUNTER_BYTES;
import static dev.sund.kernel.nft.Nfta.COUNTER_PACKETS;
import static dev.sund.kernel.nft.Nfta.CT_DIRECTION;
import static dev.sund.kernel.nft.Nfta.CT_DREG;
import static dev.sund.kernel.nft.Nfta.CT_KEY;
import static dev.sund.kernel.nft.Nfta.CT_SREG;
import static dev.sund.kernel.nft.Nfta.DATA_VALUE;
import static dev.sund.kernel.nft.Nfta.DATA_VERDICT;
import static dev.sund.kernel.nft.Nfta.DYNSET_EXPR;
import static dev.sund.kernel.nft.Nfta.DYNSET_FLAGS;
import static dev.sund.kernel.nft.Nfta.DYNSET_OP;
import static dev.sund.kernel.nft.Nfta.DYNSET_SET_NAME;
import static dev.sund.kernel.nft.Nfta.DYNSET_SREG_DATA;
import static dev.sund.kernel.nft.Nfta.DYNSET_SREG_KEY;
import static dev.sund.kernel.nft.Nfta.DYNSET_TIMEOUT;
import static dev.sund.kernel.nft.Nfta.EXPR_DATA;
import static dev.sund.kernel.nft.Nfta.EXPR_NAME;
import static dev.sund.kernel.nft.Nfta.FIB_DREG;
import static dev.sund.kernel.nft.Nfta.FIB_FLAGS;
import static dev.sund.kernel.nft.Nfta.FIB_RESULT;
import static dev.sund.kernel.nft.Nfta.HASH_DREG;
import static dev.sund.kernel.nft.Nfta.HASH_LEN;
import static dev.sund.kernel.nft.Nfta.HASH_MODULUS;
import static dev.sund.kernel.nft.Nfta.HASH_OFFSET;
import static dev.sund.kernel.nft.Nfta.HASH_SEED;
import static dev.sund.kernel.nft.Nfta.HASH_SREG;
import static dev.sund.kernel.nft.Nfta.HASH_TYPE;
import static dev.sund.kernel.nft.Nfta.IMMEDIATE_DATA;
import static dev.sund.kernel.nft.Nfta.IMMEDIATE_DREG;
import static dev.sund.kernel.nft.Nfta.LIMIT_BURST;
import static dev.sund.kernel.nft.Nfta.LIMIT_FLAGS;
import static dev.sund.kernel.nft.Nfta.LIMIT_RATE;
import static dev.sund.kernel.nft.Nfta.LIMIT_TYPE;
import static dev.sund.kernel.nft.Nfta.LIMIT_UNIT;
import static dev.sund.kernel.nft.Nfta.LIST_ELEM;
import static dev.sund.kernel.nft.Nfta.LOG_FLAGS;
import static dev.sund.kernel.nft.Nfta.LOG_GROUP;
import static dev.sund.kernel.nft.Nfta.LOG_LEVEL;
import static dev.sund.kernel.nft.Nfta.LOG_PREFIX;
import static dev.sund.kernel.nft.Nfta.LOG_QTHRESHOLD;
import static dev.sund.kernel.nft.Nfta.LOG_SNAPLEN;
import static dev.sund.kernel.nft.Nfta.LOOKUP_DREG;
import static dev.sund.kernel.nft.Nfta.LOOKUP_FLAGS;
import static dev.sund.kernel.nft.Nfta.LOOKUP_SET;
import static dev.sund.kernel.nft.Nfta.LOOKUP_SREG;
import static dev.sund.kernel.nft.Nfta.MASQ_FLAGS;
import static dev.sund.kernel.nft.Nfta.MASQ_REG_PROTO_MAX;
import static dev.sund.kernel.nft.Nfta.MASQ_REG_PROTO_MIN;
import static dev.sund.kernel.nft.Nfta.META_DREG;
import static dev.sund.kernel.nft.Nfta.META_KEY;
import static dev.sund.kernel.nft.Nfta.META_SREG;
import static dev.sund.kernel.nft.Nfta.NAT_FAMILY;
import static dev.sund.kernel.nft.Nfta.NAT_FLAGS;
import static dev.sund.kernel.nft.Nfta.NAT_REG_ADDR_MAX;
import static dev.sund.kernel.nft.Nfta.NAT_REG_ADDR_MIN;
import static dev.sund.kernel.nft.Nfta.NAT_REG_PROTO_MAX;
import static dev.sund.kernel.nft.Nfta.NAT_REG_PROTO_MIN;
import static dev.sund.kernel.nft.Nfta.NAT_TYPE;
import static dev.sund.kernel.nft.Nfta.NG_DREG;
import static dev.sund.kernel.nft.Nfta.NG_MODULUS;
import static dev.sund.kernel.nft.Nfta.NG_OFFSET;
import static dev.sund.kernel.nft.Nfta.NG_TYPE;
import static dev.sund.kernel.nft.Nfta.PAYLOAD_BASE;
import static dev.sund.kernel.nft.Nfta.PAYLOAD_CSUM_FLAGS;
import static dev.sund.kernel.nft.Nfta.PAYLOAD_CSUM_OFFSET;
import static dev.sund.kernel.nft.Nfta.PAYLOAD_CSUM_TYPE;
import static dev.sund.kernel.nft.Nfta.PAYLOAD_DREG;
import static dev.sund.kernel.nft.Nfta.PAYLOAD_LEN;
import static dev.sund.kernel.nft.Nfta.PAYLOAD_OFFSET;
import static dev.sund.kernel.nft.Nfta.PAYLOAD_SREG;
import static dev.sund.kernel.nft.Nfta.RANGE_FROM_DATA;
import static dev.sund.kernel.nft.Nfta.RANGE_OP;
import static dev.sund.kernel.nft.Nfta.RANGE_SREG;
import static dev.sund.kernel.nft.Nfta.RANGE_TO_DATA;
import static dev.sund.kernel.nft.Nfta.REJECT_ICMP_CODE;
import static dev.sund.kernel.nft.Nfta.REJECT_TYPE;
import static dev.sund.kernel.nft.Nfta.VERDICT_CHAIN;
import static dev.sund.kernel.nft.Nfta.VERDICT_CODE;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Expressions as attributes: NFTA_LIST_ELEM { NFTA_EXPR_NAME, NFTA_EXPR_DATA {...} }.
 *
 * <p>An expression that holds an attribute or a number which is not known here is decoded as {@link
 * Expr.Unknown} as a whole: half an expression would compare equal to something else.
 */
final class ExprCodec {
  private static final int DYNSET_ADD = 0;
  private static final int DYNSET_UPDATE = 1;
  private static final int BITWISE_MASK_XOR = 0;
  private static final int BITWISE_LSHIFT = 1;
  private static final int BITWISE_RSHIFT = 2;

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
      case Expr.Update _, Expr.CountAt _ -> "dynset";
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
          out.be32(PAYLOAD_DREG, into.number())
              .be32(PAYLOAD_BASE, header.ordinal())
              .be32(PAYLOAD_OFFSET, offset)
              .be32(PAYLOAD_LEN, length);
      case Expr.PayloadSet p ->
          out.be32(PAYLOAD_BASE, p.header().ordinal())
              .be32(PAYLOAD_OFFSET, p.offset())
              .be32(PAYLOAD_LEN, p.length())
              .be32(PAYLOAD_SREG, p.from().number())
              .be32(PAYLOAD_CSUM_TYPE, p.checksumType())
              .be32(PAYLOAD_CSUM_OFFSET, p.checksumOffset())
              .be32(PAYLOAD_CSUM_FLAGS, p.checksumFlags());
      case Expr.Cmp(var from, var op, var value) ->
          writeValue(out.be32(CMP_SREG, from.number()).be32(CMP_OP, op.ordinal()), CMP_DATA, value);
      case Expr.Range(var from, var inverted, var low, var high) -> {
        writeValue(
            out.be32(RANGE_SREG, from.number()).be32(RANGE_OP, inverted ? 1 : 0),
            RANGE_FROM_DATA,
            low);
        writeValue(out, RANGE_TO_DATA, high);
      }
      case Expr.Meta(var key, var into) ->
          out.be32(META_KEY, key.ordinal()).be32(META_DREG, into.number());
      case Expr.MetaSet(var key, var from) ->
          out.be32(META_KEY, key.ordinal()).be32(META_SREG, from.number());
      case Expr.Ct(var key, var direction, var into) ->
          writeDirection(out.be32(CT_KEY, key.ordinal()).be32(CT_DREG, into.number()), direction);
      case Expr.CtSet(var key, var direction, var from) ->
          writeDirection(out.be32(CT_KEY, key.ordinal()).be32(CT_SREG, from.number()), direction);
      case Expr.Lookup(var set, var from, var into, var inverted) -> {
        out.be32(LOOKUP_SREG, from.number());
        into.ifPresent(reg -> out.be32(LOOKUP_DREG, reg.number()));
        out.string(LOOKUP_SET, set);
        if (inverted) {
          out.be32(LOOKUP_FLAGS, 1);
        }
      }
      case Expr.Update(var set, var key, var data, var timeout) -> {
        out.string(DYNSET_SET_NAME, set)
            .be32(DYNSET_OP, DYNSET_UPDATE)
            .be32(DYNSET_SREG_KEY, key.number());
        writeReg(out, DYNSET_SREG_DATA, data);
        timeout.ifPresent(time -> out.be64(DYNSET_TIMEOUT, time.toMillis()));
        out.be32(DYNSET_FLAGS, 0);
      }
      case Expr.CountAt(var set, var key) -> {
        out.string(DYNSET_SET_NAME, set)
            .be32(DYNSET_OP, DYNSET_ADD)
            .be32(DYNSET_SREG_KEY, key.number())
            .nest(DYNSET_EXPR)
            .string(EXPR_NAME, "counter")
            .nest(EXPR_DATA);
        writeAttributes(out, Expr.Counter.atZero());
        out.unnest().unnest().be32(DYNSET_FLAGS, 0);
      }
      case Expr.Immediate(var into, var data) ->
          writeData(out.be32(IMMEDIATE_DREG, into.number()), IMMEDIATE_DATA, data);
      case Expr.Bitwise(var from, var into, var mask, var xor) -> {
        out.be32(BITWISE_SREG, from.number())
            .be32(BITWISE_DREG, into.number())
            .be32(BITWISE_OP, BITWISE_MASK_XOR)
            .be32(BITWISE_LEN, mask.length());
        writeValue(out, BITWISE_MASK, mask);
        writeValue(out, BITWISE_XOR, xor);
      }
      case Expr.Shift(var from, var into, var length, var left, var bits) -> {
        out.be32(BITWISE_SREG, from.number())
            .be32(BITWISE_DREG, into.number())
            .be32(BITWISE_OP, left ? BITWISE_LSHIFT : BITWISE_RSHIFT)
            .be32(BITWISE_LEN, length);
        writeValue(out, BITWISE_DATA, Bytes.host32(bits));
      }
      case Expr.ByteOrder(var from, var into, var toNetwork, var length, var size) ->
          out.be32(BYTEORDER_SREG, from.number())
              .be32(BYTEORDER_DREG, into.number())
              .be32(BYTEORDER_OP, toNetwork ? 1 : 0)
              .be32(BYTEORDER_LEN, length)
              .be32(BYTEORDER_SIZE, size);
      case Expr.Masquerade(var flags, var portMin, var portMax) -> {
        if (flags != 0) {
          out.be32(MASQ_FLAGS, flags);
        }
        writeReg(out, MASQ_REG_PROTO_MIN, portMin);
        writeReg(out, MASQ_REG_PROTO_MAX, portMax);
      }
      case Expr.Nat nat -> writeNat(out, nat);
      case Expr.Counter(var packets, var bytes) ->
          out.be64(COUNTER_BYTES, bytes).be64(COUNTER_PACKETS, packets);
      case Expr.Log log -> writeLog(out, log);
      case Expr.Reject(var type, var code) ->
          out.be32(REJECT_TYPE, type.ordinal()).u8(REJECT_ICMP_CODE, code);
      case Expr.Fib(var into, var result, var flags) ->
          out.be32(FIB_FLAGS, flags)
              .be32(FIB_RESULT, result.ordinal() + 1)
              .be32(FIB_DREG, into.number());
      case Expr.Numgen(var into, var modulus, var random, var offset) ->
          out.be32(NG_DREG, into.number())
              .be32(NG_MODULUS, (int) modulus)
              .be32(NG_TYPE, random ? 1 : 0)
              .be32(NG_OFFSET, (int) offset);
      case Expr.Hash hash -> writeHash(out, hash);
      case Expr.Limit limit ->
          out.be64(LIMIT_RATE, limit.rate())
              .be64(LIMIT_UNIT, limit.unitSeconds())
              .be32(LIMIT_TYPE, limit.bytes() ? 1 : 0)
              .be32(LIMIT_FLAGS, limit.inverted() ? 1 : 0)
              .be32(LIMIT_BURST, (int) limit.burst());
      case Expr.Unknown _ -> throw new AssertionError("written as it is");
    }
  }

  private static void writeNat(NlWriter out, Expr.Nat nat) {
    out.be32(NAT_TYPE, nat.destination() ? 1 : 0).be32(NAT_FAMILY, natFamily(nat.family()));
    writeReg(out, NAT_REG_ADDR_MIN, nat.addressMin());
    writeReg(out, NAT_REG_ADDR_MAX, nat.addressMax());
    writeReg(out, NAT_REG_PROTO_MIN, nat.portMin());
    writeReg(out, NAT_REG_PROTO_MAX, nat.portMax());
    if (nat.flags() != 0) {
      out.be32(NAT_FLAGS, nat.flags());
    }
  }

  private static void writeLog(NlWriter out, Expr.Log log) {
    if (!log.prefix().isEmpty()) {
      out.string(LOG_PREFIX, log.prefix());
    }
    if (log.group().isPresent()) {
      out.be16(LOG_GROUP, log.group().get());
      if (log.snapLength() != 0) {
        out.be32(LOG_SNAPLEN, log.snapLength());
      }
      if (log.threshold() != 0) {
        out.be16(LOG_QTHRESHOLD, log.threshold());
      }
    } else {
      out.be32(LOG_LEVEL, log.level());
      if (log.flags() != 0) {
        out.be32(LOG_FLAGS, log.flags());
      }
    }
  }

  private static void writeHash(NlWriter out, Expr.Hash hash) {
    writeReg(out, HASH_SREG, hash.from());
    out.be32(HASH_DREG, hash.into().number());
    if (!hash.symmetric()) {
      out.be32(HASH_LEN, hash.length());
    }
    out.be32(HASH_MODULUS, (int) hash.modulus());
    hash.seed().ifPresent(seed -> out.be32(HASH_SEED, seed));
    out.be32(HASH_OFFSET, (int) hash.offset()).be32(HASH_TYPE, hash.symmetric() ? 1 : 0);
  }

  private static void writeReg(NlWriter out, int type, Optional<Reg> reg) {
    reg.ifPresent(it -> out.be32(type, it.number()));
  }

  private static void writeDirection(NlWriter out, Optional<Expr.CtDirection> direction) {
    direction.ifPresent(it -> out.u8(CT_DIRECTION, it.ordinal()));
  }

  private static void writeValue(NlWriter out, int type, Bytes value) {
    out.nest(type).bytes(DATA_VALUE, value.toArray()).unnest();
  }

  /** NFTA_DATA_VALUE, or NFTA_DATA_VERDICT { CODE, CHAIN }. */
  static void writeData(NlWriter out, int type, Data data) {
    switch (data) {
      case Data.Value(var bytes) -> writeValue(out, type, bytes);
      case Data.To(var verdict) -> {
        out.nest(type).nest(DATA_VERDICT).be32(VERDICT_CODE, verdict.code());
        switch (verdict) {
          case Verdict.Jump(var chain) -> out.string(VERDICT_CHAIN, chain);
          case Verdict.Goto(var chain) -> out.string(VERDICT_CHAIN, chain);
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
      return read(name, new ExprAttributes(new NlReader(attributes)));
    } catch (NotKnownException | IllegalArgumentException _) {
      // A register or length that no record takes: keep the bytes, which say more than an error.
      return new Expr.Unknown(name, Bytes.of(attributes));
    }
  }

  private static Expr read(String name, ExprAttributes in)
      throws KernelException, NotKnownException {
    return switch (name) {
      case "payload" -> payload(in);
      case "cmp" ->
          new Expr.Cmp(in.reg(CMP_SREG), in.pick(CMP_OP, Expr.Op.values()), in.value(CMP_DATA));
      case "range" ->
          new Expr.Range(
              in.reg(RANGE_SREG),
              in.flag(RANGE_OP),
              in.value(RANGE_FROM_DATA),
              in.value(RANGE_TO_DATA));
      case "meta" ->
          in.has(META_SREG)
              ? new Expr.MetaSet(in.pick(META_KEY, Expr.MetaKey.values()), in.reg(META_SREG))
              : new Expr.Meta(in.pick(META_KEY, Expr.MetaKey.values()), in.reg(META_DREG));
      case "ct" ->
          in.has(CT_SREG)
              ? new Expr.CtSet(
                  in.pick(CT_KEY, Expr.CtKey.values()), in.direction(CT_DIRECTION), in.reg(CT_SREG))
              : new Expr.Ct(
                  in.pick(CT_KEY, Expr.CtKey.values()),
                  in.direction(CT_DIRECTION),
                  in.reg(CT_DREG));
      case "lookup" ->
          new Expr.Lookup(
              in.string(LOOKUP_SET),
              in.reg(LOOKUP_SREG),
              in.optionalReg(LOOKUP_DREG),
              (in.number(LOOKUP_FLAGS, 0) & 1) != 0);
      case "dynset" -> update(in);
      case "immediate" -> new Expr.Immediate(in.reg(IMMEDIATE_DREG), in.data(IMMEDIATE_DATA));
      case "bitwise" -> bitwise(in);
      case "byteorder" ->
          new Expr.ByteOrder(
              in.reg(BYTEORDER_SREG),
              in.reg(BYTEORDER_DREG),
              in.flag(BYTEORDER_OP),
              in.number(BYTEORDER_LEN),
              in.number(BYTEORDER_SIZE));
      case "masq" ->
          new Expr.Masquerade(
              in.number(MASQ_FLAGS, 0),
              in.optionalReg(MASQ_REG_PROTO_MIN),
              in.optionalReg(MASQ_REG_PROTO_MAX));
      case "nat" ->
          new Expr.Nat(
              in.flag(NAT_TYPE),
              NftFamily.of(in.number(NAT_FAMILY)).orElseThrow(NotKnownException::new),
              in.optionalReg(NAT_REG_ADDR_MIN),
              in.optionalReg(NAT_REG_ADDR_MAX),
              in.optionalReg(NAT_REG_PROTO_MIN),
              in.optionalReg(NAT_REG_PROTO_MAX),
              in.number(NAT_FLAGS, 0));
      case "counter" -> new Expr.Counter(in.big(COUNTER_PACKETS), in.big(COUNTER_BYTES));
      case "log" -> {
        boolean toGroup = in.has(LOG_GROUP); // what belongs to the other way of logging is nothing
        yield new Expr.Log(
            in.has(LOG_PREFIX) ? in.string(LOG_PREFIX) : "",
            toGroup ? Optional.of(in.small(LOG_GROUP)) : Optional.empty(),
            toGroup ? 0 : in.number(LOG_LEVEL, 4),
            toGroup ? 0 : in.number(LOG_FLAGS, 0),
            toGroup ? in.number(LOG_SNAPLEN, 0) : 0,
            toGroup && in.has(LOG_QTHRESHOLD) ? in.small(LOG_QTHRESHOLD) : 0);
      }
      case "reject" ->
          new Expr.Reject(
              in.pick(REJECT_TYPE, Expr.RejectType.values()),
              in.has(REJECT_ICMP_CODE) ? in.octet(REJECT_ICMP_CODE) : 0);
      case "fib" ->
          new Expr.Fib(
              in.reg(FIB_DREG),
              Expr.FibResult.values()[in.index(FIB_RESULT, 1, 3) - 1],
              in.number(FIB_FLAGS, 0));
      case "numgen" ->
          new Expr.Numgen(
              in.reg(NG_DREG),
              Integer.toUnsignedLong(in.number(NG_MODULUS)),
              in.index(NG_TYPE, 0, 1) == 1,
              Integer.toUnsignedLong(in.number(NG_OFFSET, 0)));
      case "hash" -> hash(in);
      case "limit" ->
          new Expr.Limit(
              in.big(LIMIT_RATE),
              in.big(LIMIT_UNIT),
              Integer.toUnsignedLong(in.number(LIMIT_BURST, 0)),
              in.index(LIMIT_TYPE, 0, 1) == 1,
              (in.number(LIMIT_FLAGS, 0) & 1) != 0);
      default -> throw new NotKnownException();
    };
  }

  private static Expr payload(ExprAttributes in) throws KernelException, NotKnownException {
    Expr.Header header = in.pick(PAYLOAD_BASE, Expr.Header.values());
    return in.has(PAYLOAD_SREG)
        ? new Expr.PayloadSet(
            in.reg(PAYLOAD_SREG),
            header,
            in.number(PAYLOAD_OFFSET),
            in.number(PAYLOAD_LEN),
            in.number(PAYLOAD_CSUM_TYPE, 0),
            in.number(PAYLOAD_CSUM_OFFSET, 0),
            in.number(PAYLOAD_CSUM_FLAGS, 0))
        : new Expr.Payload(
            in.reg(PAYLOAD_DREG), header, in.number(PAYLOAD_OFFSET), in.number(PAYLOAD_LEN));
  }

  private static Expr bitwise(ExprAttributes in) throws KernelException, NotKnownException {
    return switch (in.number(BITWISE_OP, BITWISE_MASK_XOR)) {
      case BITWISE_MASK_XOR ->
          new Expr.Bitwise(
              in.reg(BITWISE_SREG),
              in.reg(BITWISE_DREG),
              in.value(BITWISE_MASK),
              in.value(BITWISE_XOR));
      case BITWISE_LSHIFT, BITWISE_RSHIFT -> {
        Bytes bits = in.value(BITWISE_DATA);
        if (bits.length() != 4) {
          throw new NotKnownException();
        }
        int count =
            new Userdata(List.of(new Userdata.Entry(0, bits)))
                .number(0)
                .orElseThrow(NotKnownException::new);
        yield new Expr.Shift(
            in.reg(BITWISE_SREG),
            in.reg(BITWISE_DREG),
            in.number(BITWISE_LEN),
            in.number(BITWISE_OP) == BITWISE_LSHIFT,
            count);
      }
      default -> throw new NotKnownException();
    };
  }

  /** Additions, deletions and those with expressions for each element are not known. */
  private static Expr update(ExprAttributes in) throws KernelException, NotKnownException {
    boolean updates = in.index(DYNSET_OP, DYNSET_ADD, DYNSET_UPDATE) == DYNSET_UPDATE;
    in.index(DYNSET_FLAGS, 0, 0);
    if (!updates) {
      if ((in.has(DYNSET_TIMEOUT) && in.big(DYNSET_TIMEOUT) != 0)
          || in.has(DYNSET_SREG_DATA)
          || !"counter".equals(in.nestedString(DYNSET_EXPR, EXPR_NAME))) {
        throw new NotKnownException();
      }
      return new Expr.CountAt(in.string(DYNSET_SET_NAME), in.reg(DYNSET_SREG_KEY));
    }
    long millis = in.has(DYNSET_TIMEOUT) ? in.big(DYNSET_TIMEOUT) : 0;
    if (in.has(DYNSET_EXPR) || millis < 0) {
      throw new NotKnownException();
    }
    return new Expr.Update(
        in.string(DYNSET_SET_NAME),
        in.reg(DYNSET_SREG_KEY),
        in.optionalReg(DYNSET_SREG_DATA),
        millis == 0 ? Optional.empty() : Optional.of(Duration.ofMillis(millis)));
  }

  private static Expr hash(ExprAttributes in) throws KernelException, NotKnownException {
    boolean symmetric = in.index(HASH_TYPE, 0, 1) == 1;
    return new Expr.Hash(
        in.optionalReg(HASH_SREG),
        in.reg(HASH_DREG),
        symmetric ? 0 : in.number(HASH_LEN),
        Integer.toUnsignedLong(in.number(HASH_MODULUS)),
        in.has(HASH_SEED) ? Optional.of(in.number(HASH_SEED)) : Optional.empty(),
        Integer.toUnsignedLong(in.number(HASH_OFFSET, 0)),
        symmetric);
  }

  /** Reads NFTA_DATA_VALUE or NFTA_DATA_VERDICT. */
  static Data readData(NlReader in) throws KernelException {
    while (in.next()) {
      switch (in.type()) {
        case DATA_VALUE -> {
          return new Data.Value(Bytes.of(in.bytes()));
        }
        case DATA_VERDICT -> {
          return new Data.To(readVerdict(in.nested()));
        }
        default -> {}
      }
    }
    throw new Malformed("nf_tables data", "it has neither value nor verdict");
  }

  static Verdict readVerdict(NlReader in) throws KernelException {
    int code = -1;
    String chain = "";
    while (in.next()) {
      switch (in.type()) {
        case VERDICT_CODE -> code = in.be32();
        case VERDICT_CHAIN -> chain = in.string();
        default -> {}
      }
    }
    return switch (code) {
      case -3 -> new Verdict.Jump(chain);
      case -4 -> new Verdict.Goto(chain);
      default -> new Verdict.Plain(code);
    };
  }
}
