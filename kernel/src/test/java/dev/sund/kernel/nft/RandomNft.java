package dev.sund.kernel.nft;

import dev.sund.model.Ip;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Random objects of nf_tables, of every kind that there is. */
final class RandomNft {
  private final Random random;

  RandomNft(long seed) {
    random = new Random(seed);
  }

  Expr expr() {
    return switch (random.nextInt(28)) {
      case 0 -> new Expr.Payload(reg(), pick(Expr.Header.values()), below(60), 1 + below(16));
      case 1 ->
          new Expr.PayloadSet(
              reg(),
              pick(Expr.Header.values()),
              below(60),
              1 + below(16),
              below(3),
              below(40),
              below(2));
      case 2 -> new Expr.Cmp(reg(), pick(Expr.Op.values()), bytes(16));
      case 3 -> new Expr.Range(reg(), random.nextBoolean(), bytes(4), bytes(4));
      case 4 -> new Expr.Meta(pick(Expr.MetaKey.values()), reg());
      case 5 -> new Expr.MetaSet(pick(Expr.MetaKey.values()), reg());
      case 6 ->
          new Expr.Ct(pick(Expr.CtKey.values()), maybe(pick(Expr.CtDirection.values())), reg());
      case 7 ->
          new Expr.CtSet(pick(Expr.CtKey.values()), maybe(pick(Expr.CtDirection.values())), reg());
      case 8 -> new Expr.Lookup(name(), reg(), maybe(reg()), random.nextBoolean());
      case 9 -> Expr.Immediate.load(reg(), bytes(16));
      case 10 -> Expr.Immediate.verdict(verdict());
      case 11 -> {
        Bytes mask = bytes(16);
        yield new Expr.Bitwise(reg(), reg(), mask, fixed(mask.length()));
      }
      case 12 -> new Expr.Shift(reg(), reg(), 4, random.nextBoolean(), below(32));
      case 13 -> new Expr.ByteOrder(reg(), reg(), random.nextBoolean(), 8, 2);
      case 14 -> new Expr.Masquerade(flags(), maybe(reg()), maybe(reg()));
      case 15 ->
          new Expr.Nat(
              random.nextBoolean(),
              random.nextBoolean() ? NftFamily.IP : NftFamily.IP6,
              maybe(reg()),
              maybe(reg()),
              maybe(reg()),
              maybe(reg()),
              flags());
      case 16 -> new Expr.Counter(random.nextLong(), random.nextLong());
      case 17 -> new Expr.Log(name(), Optional.empty(), below(8), below(16), 0, 0);
      case 18 -> new Expr.Log(name(), Optional.of(below(65536)), 0, 0, below(200), below(9));
      case 19 -> new Expr.Reject(pick(Expr.RejectType.values()), below(256));
      case 20 -> new Expr.Fib(reg(), pick(Expr.FibResult.values()), below(64));
      case 21 -> new Expr.Numgen(reg(), number(), random.nextBoolean(), number());
      case 22 ->
          new Expr.Hash(
              Optional.of(reg()),
              reg(),
              1 + below(16),
              number(),
              maybe(random.nextInt()),
              number(),
              false);
      case 23 ->
          new Expr.Hash(Optional.empty(), reg(), 0, number(), Optional.empty(), number(), true);
      case 26 -> new Expr.CountAt(name(), reg());
      case 25 ->
          new Expr.Update(
              name(), reg(), maybe(reg()), maybe(Duration.ofMillis(1 + random.nextInt(1 << 30))));
      case 24 ->
          new Expr.Limit(
              random.nextLong(),
              random.nextLong(),
              number(),
              random.nextBoolean(),
              random.nextBoolean());
      default -> new Expr.Unknown("quota", Bytes.hex("0c000100000000000000ffff"));
    };
  }

  NftTable table() {
    return new NftTable(family(), name(), below(3), userdata());
  }

  NftChain chain() {
    return new NftChain(
        family(),
        name(),
        name(),
        maybe(
            new NftChain.Base(
                pick(new String[] {"filter", "nat", "route"}),
                below(6),
                random.nextInt(),
                random.nextBoolean() ? Verdict.ACCEPT : Verdict.DROP,
                maybe(name()))),
        userdata());
  }

  NftRule rule() {
    List<Expr> expressions = new ArrayList<>();
    for (int i = below(10); i > 0; i--) {
      expressions.add(expr());
    }
    return new NftRule(family(), name(), name(), 0, expressions, userdata());
  }

  NftSet set() {
    NftTable table = table();
    NftType.Field[] fields = new NftType.Field[1 + below(4)];
    for (int i = 0; i < fields.length; i++) {
      fields[i] = field();
    }
    NftSet set = NftSet.of(table, name(), fields).withComment(name());
    if (random.nextBoolean()) {
      set = set.ofRanges();
    }
    if (random.nextBoolean()) {
      set = set.to(random.nextBoolean() ? NftType.VERDICT : NftType.of(field(), field()));
    }
    if (random.nextBoolean()) {
      set = set.withSize(1 + below(1000));
    }
    return random.nextBoolean() ? set.withTimeout(Duration.ofMillis(below(100_000))) : set;
  }

  NftElement element() {
    return new NftElement(
        bytes(16),
        maybe(bytes(16)),
        random.nextBoolean(),
        maybe(random.nextBoolean() ? new Data.Value(bytes(16)) : new Data.To(verdict())),
        maybe(Duration.ofMillis(below(1_000_000))),
        userdata());
  }

  NftFamily family() {
    return pick(NftFamily.values());
  }

  /** A printable text of 1 to 30 characters. */
  String name() {
    StringBuilder text = new StringBuilder();
    for (int i = 1 + below(30); i > 0; i--) {
      text.append((char) ('a' + below(26)));
    }
    return text.toString();
  }

  Ip ip() {
    return random.nextBoolean()
        ? Ip.v4(random.nextInt())
        : Ip.v6(random.nextLong(), random.nextLong());
  }

  int below(int bound) {
    return random.nextInt(bound);
  }

  private Userdata userdata() {
    return random.nextBoolean() ? Userdata.NONE : Userdata.comment(name()).withNumber(1, below(9));
  }

  private NftType.Field field() {
    return pick(
        new NftType.Field[] {
          NftType.IPV4_ADDR,
          NftType.IPV6_ADDR,
          NftType.ETHER_ADDR,
          NftType.INET_PROTO,
          NftType.INET_SERVICE,
          NftType.MARK
        });
  }

  private Verdict verdict() {
    return switch (below(4)) {
      case 0 -> Verdict.ACCEPT;
      case 1 -> Verdict.RETURN;
      case 2 -> new Verdict.Jump(name());
      default -> new Verdict.Goto(name());
    };
  }

  private Reg reg() {
    return random.nextBoolean() ? new Reg(1 + below(4)) : Reg.word(below(16));
  }

  private int flags() {
    return below(8) << 2;
  }

  private long number() {
    return Integer.toUnsignedLong(random.nextInt());
  }

  private Bytes bytes(int most) {
    return fixed(1 + below(most));
  }

  private Bytes fixed(int length) {
    byte[] content = new byte[length];
    random.nextBytes(content);
    return Bytes.of(content);
  }

  private <T> Optional<T> maybe(T value) {
    return random.nextBoolean() ? Optional.of(value) : Optional.empty();
  }

  private <T> T pick(T[] values) {
    return values[random.nextInt(values.length)];
  }
}
