package dev.sund.kernel.nflog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.Ip;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Messages that a kernel (6.18) sent, from the {@code nfgenmsg} on. */
class NflogCodecTest {
  private static final String UDP_V4 =
      "0200005308000100080003000b000a0065677265737300000800050000000001"
          + "08000b000000000008000e000000000008000c0000000000400009004500003c"
          + "6f8740004011b3380af401050af40105928314e90028182b0000000000000000"
          + "000000000000000000000000000000000000000000000000";
  private static final String UDP_V6 =
      "0a0000530800010086dd03000b000a0065677265737300000800050000000001"
          + "08000b000000000008000e000000000008000c0000000001540009006"
          + "00be54900281140fd000010000000000000000000000005fd000010000000000"
          + "000000000000005ca6a14e90028fa64000000000000000000000000000000000"
          + "0000000000000000000000000000000";
  private static final String TCP_V4 =
      "0200005308000100080003000b000a006567726573730000080005000000000108000b000000000008000e000000000008000c0000000002400009004500003c65c940004006bd010af401050af4010581d714e9b4db56c700000000a002ffd7182000000204ffd70402080a656ddc37000000000103030a";

  @Test
  void aPacketIsReadWithItsPrefixDeviceHeadAndNumber() throws Exception {
    assertThat(read(UDP_V4))
        .isEqualTo(
            new LoggedPacket(
                "egress",
                3,
                0,
                0,
                1,
                0,
                0,
                Optional.of(head("10.244.1.5", "10.244.1.5", 17, 37507, 5353, 60)),
                Optional.empty(),
                0));
    assertThat(read(UDP_V6).head())
        .isEqualTo(Optional.of(head("fd00:10::5", "fd00:10::5", 17, 51818, 5353, 80)));
    assertThat(read(UDP_V6).sequence()).isEqualTo(1);
    PacketHead tcp = read(TCP_V4).head().orElseThrow();
    assertThat(tcp.protocol()).isEqualTo(6);
    assertThat(tcp.destinationPort()).isEqualTo(5353);
  }

  /** Whatever was cut off, what is there is read or refused, never read beyond its end. */
  @Test
  void aMessageCutShortIsReadAsFarAsItGoesOrRefused() throws Exception {
    byte[] whole = HexFormat.of().parseHex(UDP_V6);
    for (int length = 0; length < whole.length; length++) {
      byte[] part = Arrays.copyOf(whole, length);
      try {
        NflogCodec.readPacket(new NlReader(part));
      } catch (KernelException.Malformed _) {
        assertThat(length).isNotEqualTo(whole.length);
      }
    }
    assertThatThrownBy(() -> NflogCodec.readPacket(new NlReader(new byte[3])))
        .isInstanceOf(KernelException.Malformed.class);
  }

  @Test
  void anArpMessageIsReadByWhomItIsAndAboutWhom() {
    byte[] who =
        HexFormat.of()
            .parseHex("0001080006040001020000000001" + "0a580007" + "000000000000" + "0a580001");
    assertThat(PacketHead.tryParse(who))
        .isEqualTo(Optional.of(head("10.88.0.7", "10.88.0.1", PacketHead.ARP, 0, 0, 28)));
    for (int length = 0; length < who.length; length++) {
      assertThat(PacketHead.tryParse(Arrays.copyOf(who, length))).isEmpty();
    }
    who[5] = 8; // addresses of another length
    assertThat(PacketHead.tryParse(who)).isEmpty();
  }

  @Test
  void portsStandBehindOptionsAndExtensionsAndInFirstFragmentsAlone() {
    byte[] v4 = HexFormat.of().parseHex("46000020000000004011000001020304050607080000000000350050");
    assertThat(PacketHead.tryParse(v4))
        .isEqualTo(Optional.of(head("1.2.3.4", "5.6.7.8", 17, 53, 80, 32)));
    v4[7] = 8;
    assertThat(PacketHead.tryParse(v4).orElseThrow().destinationPort()).isZero();

    String addresses = "fd000000000000000000000000000001fd000000000000000000000000000002";
    String toOptions = "600000000014003c" + addresses + "3c00000000000000";
    byte[] v6 = HexFormat.of().parseHex(toOptions.replaceFirst("003c", "0040") + "00350050");
    v6[6] = 0; // hop by hop, then destination options
    assertThat(PacketHead.tryParse(v6).orElseThrow().protocol()).isEqualTo(60);
    byte[] both =
        HexFormat.of()
            .parseHex(
                "6000000000140040"
                    + addresses
                    + "3c00000000000000"
                    + "1100000000000000"
                    + "00350050");
    assertThat(PacketHead.tryParse(both))
        .isEqualTo(Optional.of(head("fd00::1", "fd00::2", 17, 53, 80, 60)));
    byte[] fragment =
        HexFormat.of().parseHex("6000000000142c40" + addresses + "1100000900000000" + "00350050");
    assertThat(PacketHead.tryParse(fragment).orElseThrow().destinationPort()).isZero();
    fragment[43] = 1;
    assertThat(PacketHead.tryParse(fragment).orElseThrow().destinationPort()).isEqualTo(80);
    assertThat(PacketHead.tryParse(new byte[40])).isEmpty();
  }

  @Test
  void theRequestToReadAGroupIsOneMessage() {
    NlWriter out = new NlWriter();
    NflogCodec.writeBind(out, 83, 128, true);
    assertThat(HexFormat.of().formatHex(out.toBytes()).substring(32))
        .isEqualTo(
            "00000053"
                + "0500010001000000"
                + "0a00020000000080"
                + "02000000"
                + "060006000005"
                + "0000");
  }

  private static LoggedPacket read(String hex) throws Exception {
    return NflogCodec.readPacket(new NlReader(HexFormat.of().parseHex(hex)));
  }

  private static PacketHead head(
      String source, String destination, int protocol, int from, int to, int bytes) {
    return new PacketHead(Ip.parse(source), Ip.parse(destination), protocol, from, to, bytes);
  }
}
