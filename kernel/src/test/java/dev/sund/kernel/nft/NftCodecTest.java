package dev.sund.kernel.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class NftCodecTest {
  private static final long SEED = Long.getLong("sund.seed", 20260106);
  private static final NftTable TABLE = NftTable.of(NftFamily.INET, "sund", "hello table");

  private final RandomNft random = new RandomNft(SEED);

  @Test
  void tableIsByteForByteWhatNftSends() {
    assertThat(bodyOf(new NftOp.CreateTable(TABLE)))
        .isEqualTo(
            hex(
                "01000000",
                "09000100 73756e64 00000000",
                "08000200 00000000",
                "12000600 000c6865 6c6c6f20 7461626c 65000000"));
  }

  @Test
  void setIsByteForByteWhatNftSends() {
    assertThat(
            bodyOf(
                new NftOp.CreateSet(
                    NftSet.of(TABLE, "nat4", NftType.IPV4_ADDR)
                        .ofRanges()
                        .withComment("set comment"))))
        .isEqualTo(
            hex(
                "01000000",
                "09000100 73756e64 00000000",
                "09000200 6e617434 00000000",
                "08000300 00000004",
                "08000400 00000007",
                "08000500 00000004",
                "08000a00 00000001",
                "18000d00 00040200 0000070c 73657420 636f6d6d 656e7400"));
  }

  @Test
  void ruleIsByteForByteWhatNftSends() {
    NftChain chain = NftChain.regular(TABLE, "post");
    assertThat(
            bodyOf(
                new NftOp.AppendRule(
                    NftRule.of(
                        chain,
                        "",
                        List.of(
                            new Expr.Meta(Expr.MetaKey.NFPROTO, Reg.R1),
                            new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(2)),
                            new Expr.Payload(Reg.R1, Expr.Header.NETWORK, 12, 4),
                            new Expr.Masquerade(
                                Expr.NAT_FULLY_RANDOM, Optional.empty(), Optional.empty()))))))
        .isEqualTo(
            hex(
                "01000000",
                "09000100 73756e64 00000000",
                "09000200 706f7374 00000000",
                "a4000480",
                "24000180 09000100 6d657461 00000000 14000280 08000200 0000000f 08000100 00000001",
                "2c000180 08000100 636d7000 20000280 08000100 00000001 08000200 00000000",
                "0c000380 05000100 02000000",
                "34000180 0c000100 7061796c 6f616400 24000280 08000100 00000001 08000200 00000001",
                "08000300 0000000c 08000400 00000004",
                "1c000180 09000100 6d617371 00000000 0c000280 08000100 00000010"));
  }

  @Test
  void everyExpressionComesBack() throws Exception {
    for (int i = 0; i < 20_000; i++) {
      Expr expr = random.expr();
      assertThat(readBack(expr)).as("seed %d, %d", SEED, i).isEqualTo(expr);
      assertThat(expr.text()).isNotEmpty();
    }
  }

  @Test
  void everyObjectComesBack() throws Exception {
    for (int i = 0; i < 2_000; i++) {
      NftTable table = random.table();
      assertThat(event(new NftOp.CreateTable(table)))
          .isEqualTo(new NftEvent.TableChanged(table, false));
      NftChain chain = random.chain();
      assertThat(event(new NftOp.CreateChain(chain)))
          .isEqualTo(new NftEvent.ChainChanged(chain, false));
      NftRule rule = random.rule();
      assertThat(event(new NftOp.AppendRule(rule)))
          .isEqualTo(new NftEvent.RuleChanged(rule, false));
      NftSet set = random.set();
      NftEvent read = event(new NftOp.CreateSet(set));
      assertThat(read).isInstanceOf(NftEvent.SetChanged.class);
      NftSet back = ((NftEvent.SetChanged) read).set();
      assertThat(back.key().length()).isEqualTo(set.key().length());
      assertThat(back.key()).isEqualTo(set.key());
      assertThat(back.data()).isEqualTo(set.data());
      assertThat(back.comment()).isEqualTo(set.comment());
      assertThat(back.flags()).isEqualTo(set.flags());
      assertThat(back.timeout()).isEqualTo(set.timeout());
      NftElement element = random.element();
      assertThat(
              event(
                  new NftOp.AddElements(
                      set.family(), set.table(), set.name(), List.of(element), true)))
          .isEqualTo(
              new NftEvent.ElementsChanged(
                  set.family(), set.table(), set.name(), List.of(element), false));
    }
  }

  @Test
  void manyElementsAreCutBelowTheLengthOfAnAttribute() throws Exception {
    List<NftElement> elements = new ArrayList<>();
    for (int i = 0; i < 5_000; i++) {
      elements.add(NftElement.of(Bytes.u32(i)).withComment("element number " + i));
    }
    NlWriter out = new NlWriter();
    NftCodec.write(
        out,
        new NftOp.AddElements(NftFamily.INET, "sund", "s", elements, true),
        new NftCodec.SetIds(),
        true);
    List<NftElement> read = new ArrayList<>();
    NlReader.messages(
        out.toBytes(),
        out.size(),
        (type, _, body) -> {
          assertThat(body.remaining()).isLessThan(65_536);
          read.addAll(((NftEvent.ElementsChanged) NftCodec.readEvent(type, body)).elements());
        });

    assertThat(out.count()).isGreaterThan(3);
    assertThat(read).isEqualTo(elements);
  }

  @Test
  void noElementsAreNoMessage() {
    NlWriter out = new NlWriter();
    NftOp nothing = new NftOp.DeleteElements(NftFamily.INET, "sund", "s", List.of());
    NftCodec.write(out, nothing, new NftCodec.SetIds(), true);

    assertThat(out.count()).isZero();
    assertThat(nothing.isEmpty()).isTrue();
  }

  @Test
  void cutAndAlteredMessagesAreMalformedAtWorst() {
    Random damage = new Random(SEED);
    for (int i = 0; i < 5_000; i++) {
      NlWriter out = new NlWriter();
      NftCodec.write(out, new NftOp.AppendRule(random.rule()), new NftCodec.SetIds(), false);
      byte[] bytes = out.toBytes();
      for (int j = 1 + damage.nextInt(4); j > 0; j--) {
        bytes[16 + damage.nextInt(bytes.length - 16)] = (byte) damage.nextInt();
      }
      int end = damage.nextBoolean() ? bytes.length : 16 + damage.nextInt(bytes.length - 16);
      try {
        NftCodec.readEvent(NftCodec.NEWRULE, new NlReader(bytes, 16, end));
      } catch (Malformed _) {
        // the one answer to what is no message
      } catch (KernelException e) {
        throw new AssertionError("seed " + SEED, e);
      }
    }
  }

  @Test
  void rangeEndsBehindItsLastKeyAndOneAtTheEndHasNoEnd() {
    assertThat(NftElement.range(Prefix.parse("10.0.0.0/8"), "c"))
        .containsExactly(
            NftElement.of(Bytes.hex("0a000000")).withComment("c"),
            NftElement.end(Bytes.hex("0b000000")));
    assertThat(NftElement.range(Prefix.parse("255.0.0.0/8"), "")).hasSize(1);
    assertThat(NftRange.join(NftElement.range(Prefix.parse("255.0.0.0/8"), "")))
        .extracting(NftRange::toString)
        .containsExactly("255.0.0.0/8");
  }

  @Test
  void elementsJoinAsTheKernelLooksThemUp() {
    List<NftElement> elements = new ArrayList<>();
    elements.add(NftElement.end(Bytes.hex("00000000"))); // as nft puts it
    elements.addAll(NftElement.range(Prefix.parse("10.0.0.0/9"), "low"));
    elements.addAll(NftElement.range(Prefix.parse("10.128.0.0/9"), "high"));
    elements.add(NftElement.of(Bytes.hex("0b000000"))); // a start without an end of its own
    elements.addAll(NftElement.range(Prefix.parse("12.0.0.0/8"), ""));

    assertThat(NftRange.join(elements))
        .extracting(NftRange::toString)
        .containsExactly("10.0.0.0/9", "10.128.0.0/9", "11.0.0.0/8", "12.0.0.0/8");
    assertThat(NftRange.text(Bytes.of(Ip.parse("10.0.0.1")), Bytes.of(Ip.parse("10.0.0.4"))))
        .isEqualTo("10.0.0.1-10.0.0.4");
  }

  @Test
  void commentThatNftWouldCutIsRefused() {
    assertThat(Userdata.comment("x".repeat(127)).comment()).hasSize(127);
    assertThatThrownBy(() -> Userdata.comment("x".repeat(128)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("must be from 0 to 127, but is 128");
  }

  @Test
  void registersOfTheSameBytesAreTheSame() {
    assertThat(new Reg(8)).isEqualTo(Reg.R1);
    assertThat(Reg.word(4)).isEqualTo(Reg.R2);
    assertThat(Reg.word(5)).isEqualTo(new Reg(13));
    assertThat(Reg.word(5).offset()).isEqualTo(20);
    assertThatThrownBy(() -> new Reg(5)).hasMessage("a register is 0 to 4 or 8 to 23, but is 5");
  }

  @Test
  void typesAreNumberedAsNftPacksThem() {
    NftType type = NftType.of(NftType.IPV4_ADDR, NftType.INET_PROTO, NftType.INET_SERVICE);
    assertThat(type.number()).isEqualTo(0x730d);
    assertThat(type.length()).isEqualTo(12);
    assertThat(type).hasToString("ipv4_addr . inet_proto . inet_service");
    assertThat(NftType.of(0x730d, 12)).isEqualTo(type);
    assertThat(NftType.of(3, 4)).hasToString("type 3");
    assertThat(NftType.of(0xffffff00, 0)).isEqualTo(NftType.VERDICT);
  }

  private static Expr readBack(Expr expr) throws KernelException {
    NlWriter out = new NlWriter();
    out.message(1, 0);
    ExprCodec.write(out, expr);
    out.end();
    NlReader in = new NlReader(out.toBytes(), 16, out.size());
    assertThat(in.next()).isTrue();
    return ExprCodec.read(in.nested());
  }

  private static NftEvent event(NftOp op) throws KernelException {
    NlWriter out = new NlWriter();
    NftCodec.write(out, op, new NftCodec.SetIds(), false);
    List<NftEvent> events = new ArrayList<>();
    NlReader.messages(
        out.toBytes(), out.size(), (type, _, body) -> events.add(NftCodec.readEvent(type, body)));
    assertThat(events).hasSize(1);
    return events.getFirst();
  }

  private static String bodyOf(NftOp op) {
    Assumptions.assumeTrue(
        ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN, "bytes of a little-endian machine");
    NlWriter out = new NlWriter();
    NftCodec.write(out, op, new NftCodec.SetIds(), false);
    return HexFormat.of().formatHex(out.toBytes(), 16, out.size());
  }

  private static String hex(String... lines) {
    return String.join("", lines).replace(" ", "");
  }
}
