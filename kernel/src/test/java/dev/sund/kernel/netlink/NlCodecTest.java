package dev.sund.kernel.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.KernelException.Malformed;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class NlCodecTest {
  private static final HexFormat HEX = HexFormat.of();

  @Test
  void aMessageIsWrittenAsTheKernelReadsIt() {
    assumeThat(ByteOrder.nativeOrder()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
    byte[] bytes =
        new NlWriter()
            .message(16, Netlink.NLM_F_ACK)
            .putU8(0)
            .putZeros(15)
            .string(3, "eth0")
            .u32(4, 1500)
            .mac(1, Mac.parse("02:00:00:00:00:17"))
            .nest(18)
            .string(1, "veth")
            .unnest()
            .be32(99, 4096)
            .end()
            .toBytes();
    assertThat(HEX.formatHex(bytes))
        .isEqualTo(
            "58000000"
                + "1000"
                + "0500"
                + "00000000"
                + "00000000" // header
                + "00000000000000000000000000000000" // ifinfomsg
                + "09000300"
                + "6574683000"
                + "000000" // IFLA_IFNAME with padding
                + "08000400"
                + "dc050000" // IFLA_MTU
                + "0a000100"
                + "020000000017"
                + "0000" // IFLA_ADDRESS
                + "10001280"
                + "09000100"
                + "7665746800"
                + "000000" // IFLA_LINKINFO, nested
                + "08006300"
                + "00001000"); // big-endian
  }

  @Test
  void whatIsWrittenIsRead() throws KernelException {
    NlWriter writer =
        new NlWriter(64)
            .message(20, 0)
            .putU8(7)
            .putU8(200)
            .putU16(40000)
            .putBe16(258)
            .putU16(0)
            .u8(1, 255)
            .u16(2, 65535)
            .u32(3, -2)
            .u64(4, Long.MIN_VALUE)
            .be16(5, 4789)
            .be32(6, 0x01020304)
            .be64(7, 9)
            .string(8, "blåbær")
            .ip(9, Ip.parse("192.0.2.1"))
            .ip(10, Ip.parse("2001:db8::1"))
            .mac(11, Mac.parse("fe:dc:ba:98:76:54"))
            .bytes(12, new byte[] {1, 2, 3})
            .flag(13)
            .nest(14)
            .nest(1)
            .u32(2, 5)
            .unnest()
            .u32(3, 6)
            .unnest()
            .end();
    List<Integer> types = new ArrayList<>();
    NlReader.messages(
        writer.toBytes(),
        writer.size(),
        (type, flags, body) -> {
          types.add(type);
          assertThat(flags).isEqualTo(Netlink.NLM_F_REQUEST);
          assertThat(body.takeU8()).isEqualTo(7);
          assertThat(body.takeU8()).isEqualTo(200);
          assertThat(body.takeU16()).isEqualTo(40000);
          assertThat(body.takeBe16()).isEqualTo(258);
          body.skip(2);
          assertThat(body.next()).isTrue();
          assertThat(body.u8()).isEqualTo(255);
          body.next();
          assertThat(body.u16()).isEqualTo(65535);
          body.next();
          assertThat(body.u32()).isEqualTo(-2);
          body.next();
          assertThat(body.u64()).isEqualTo(Long.MIN_VALUE);
          body.next();
          assertThat(body.be16()).isEqualTo(4789);
          body.next();
          assertThat(body.be32()).isEqualTo(0x01020304);
          body.next();
          assertThat(body.be64()).isEqualTo(9);
          body.next();
          assertThat(body.string()).isEqualTo("blåbær");
          body.next();
          assertThat(body.ip()).hasToString("192.0.2.1");
          body.next();
          assertThat(body.ip()).hasToString("2001:db8::1");
          body.next();
          assertThat(body.mac()).hasToString("fe:dc:ba:98:76:54");
          body.next();
          assertThat(body.bytes()).containsExactly(1, 2, 3);
          body.next();
          assertThat(body.type()).isEqualTo(13);
          assertThat(body.length()).isZero();
          body.next();
          NlReader outer = body.nested();
          outer.next();
          NlReader inner = outer.nested();
          inner.next();
          assertThat(inner.u32()).isEqualTo(5);
          outer.next();
          assertThat(outer.u32()).isEqualTo(6);
          assertThat(outer.next()).isFalse();
          assertThat(body.next()).isFalse();
        });
    assertThat(types).containsExactly(20);
  }

  @Test
  void theWriterRefusesWhatItsLengthFieldsCannotSay() {
    NlWriter writer = new NlWriter().message(1, 0);
    assertThatThrownBy(() -> writer.bytes(1, new byte[65532]))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("an attribute holds at most 65531 bytes, but this one has 65532");
    NlWriter nested = new NlWriter().message(1, 0).nest(1);
    for (int i = 0; i < 20; i++) {
      nested.bytes(2, new byte[4000]);
    }
    assertThatThrownBy(nested::unnest).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void theWriterRefusesMessagesThatAreNotEnded() {
    NlWriter writer = new NlWriter().message(1, 0);
    assertThatThrownBy(() -> writer.message(2, 0)).hasMessage("end() the message before");
    writer.nest(1);
    assertThatThrownBy(writer::end).hasMessage("1 nests are open");
    assertThat(writer.abandon().size()).isZero();
    assertThatThrownBy(writer::end).hasMessage("there is no message to end");
  }

  @Test
  void aClearedWriterLeavesNoOldBytesInPadding() {
    NlWriter writer = new NlWriter(64);
    writer.message(1, 0).bytes(1, HEX.parseHex("ffffffffffffffff")).end().clear();
    byte[] reused = writer.message(1, 0).bytes(1, HEX.parseHex("01")).end().toBytes();
    assertThat(HEX.formatHex(reused)).endsWith("05000100" + "01000000");
  }

  @Test
  void aLengthThatDoesNotFitIsMalformed() throws KernelException {
    NlWriter writer = new NlWriter().message(20, 0).u32(1, 1).end();
    byte[] tooLong = writer.toBytes();
    tooLong[0] = (byte) 200;
    assertThatThrownBy(() -> NlReader.messages(tooLong, tooLong.length, (type, flags, body) -> {}))
        .isInstanceOf(Malformed.class)
        .hasMessage(
            "decode netlink message: Malformed, its length says 200 but 24 bytes are there");
    byte[] tooShort = writer.toBytes();
    tooShort[0] = 15;
    assertThatThrownBy(
            () -> NlReader.messages(tooShort, tooShort.length, (type, flags, body) -> {}))
        .isInstanceOf(Malformed.class);
    assertThatThrownBy(() -> NlReader.messages(new byte[7], 7, (type, flags, body) -> {}))
        .isInstanceOf(Malformed.class)
        .hasMessageContaining("7 bytes are too few for a header");
  }

  @Test
  void anAttributeThatDoesNotFitIsMalformed() throws KernelException {
    assertThatThrownBy(() -> new NlReader(HEX.parseHex("0900010001020304")).next())
        .hasMessage("decode attribute 1: Malformed, its length says 9 but 8 bytes are there");
    assertThatThrownBy(() -> new NlReader(HEX.parseHex("0300010001020304")).next())
        .hasMessage("decode attribute 1: Malformed, its length says 3 but 8 bytes are there");
    NlReader reader = new NlReader(HEX.parseHex("0600050001020000"));
    assertThat(reader.next()).isTrue();
    assertThat(reader.be16()).isEqualTo(0x0102);
    assertThatThrownBy(reader::u32)
        .hasMessage("decode attribute 5: Malformed, its value needs 4 bytes but has 2");
    assertThatThrownBy(reader::ip)
        .hasMessage("decode attribute 5: Malformed, an address has 4 or 16 bytes, not 2");
    assertThatThrownBy(reader::mac)
        .hasMessage("decode attribute 5: Malformed, a MAC address has 6 bytes, not 2");
    assertThat(reader.next()).isFalse();
    assertThatThrownBy(reader::u8).isInstanceOf(Malformed.class);
  }

  @Test
  void aReaderStaysInsideItsBounds() throws KernelException {
    byte[] data = HEX.parseHex("ffffffff" + "0800010001020304" + "ffffffff");
    NlReader reader = new NlReader(data, 4, 12);
    assertThat(reader.next()).isTrue();
    assertThat(reader.be32()).isEqualTo(0x01020304);
    assertThat(reader.next()).isFalse();
    assertThatThrownBy(() -> new NlReader(data, 4, 12).skip(9)).isInstanceOf(Malformed.class);
    assertThatThrownBy(() -> new NlReader(data, 4, 99))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void anAcknowledgementCarriesTheKernelsText() throws KernelException {
    NlWriter writer =
        new NlWriter()
            .putU32(-22)
            .putU32(64) // the request's header: its length ...
            .putZeros(12)
            .string(Netlink.NLMSGERR_ATTR_MSG, "Unknown device type")
            .u32(Netlink.NLMSGERR_ATTR_OFFS, 52);
    assertThat(
            NetlinkSocket.readAck(
                new NlReader(writer.toBytes()), Netlink.NLM_F_CAPPED | Netlink.NLM_F_ACK_TLVS))
        .isEqualTo(new Ack(22, "Unknown device type", 52));
    assertThat(NetlinkSocket.readAck(new NlReader(new NlWriter().putU32(0).toBytes()), 0))
        .isSameAs(Ack.DONE);
    NlWriter whole =
        new NlWriter()
            .putU32(-17)
            .putU32(20) // not capped: the request follows, here 4 bytes of it
            .putZeros(12)
            .putU32(7)
            .string(Netlink.NLMSGERR_ATTR_MSG, "there");
    assertThat(
            NetlinkSocket.readAck(new NlReader(whole.toBytes()), Netlink.NLM_F_ACK_TLVS).extack())
        .isEqualTo("there");
  }

  @Test
  void randomBytesAreReadOrMalformedAndNothingElse() {
    long seed = Long.getLong("sund.seed", 20260101);
    Random random = new Random(seed);
    for (int i = 0; i < count(200_000); i++) {
      byte[] data = new byte[random.nextInt(200)];
      random.nextBytes(data);
      if (data.length >= 16 && random.nextBoolean()) { // let it into the body
        data[0] = (byte) data.length;
        data[1] = 0;
        data[2] = 0;
        data[3] = 0;
      }
      try {
        NlReader.messages(data, data.length, (type, flags, body) -> walk(body, 0));
      } catch (Malformed _) {
        // as it should be
      } catch (KernelException | RuntimeException e) {
        throw new AssertionError("seed " + seed + ", " + HEX.formatHex(data), e);
      }
    }
  }

  private static void walk(NlReader reader, int depth) throws Malformed {
    while (reader.next()) {
      assertThat(reader.length()).isBetween(0, 200);
      assertThat(reader.bytes()).hasSize(reader.length());
      if (depth < 4) {
        try {
          walk(reader.nested(), depth + 1);
        } catch (Malformed _) {
          // not every value holds attributes
        }
      }
    }
  }

  /** All with {@code --long}, else a tenth. */
  private static int count(int all) {
    return Boolean.getBoolean("sund.long") ? all : all / 10;
  }
}
