package dev.sund.doctor.capture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.doctor.filter.LinkForm;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Packets as lines, in tcpdump's words. */
class PacketWordsTest {
  private static final String MACS = "020000000002020000000001";

  private static PacketWords read(String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex.replaceAll("\\s", ""));
    return PacketWords.read(
        ByteBuffer.wrap(bytes), 0, bytes.length, bytes.length, LinkForm.ETHERNET);
  }

  private static String v4(int length, int protocol, String payload) {
    return MACS
        + "0800"
        + "4500%04x0000400040%02x00000a0000010a000002".formatted(20 + length, protocol)
        + payload;
  }

  private static String line(String hex) {
    PacketWords words = read(hex);
    return words.protocol()
        + words.source().map(ip -> " " + ip + "." + words.sourcePort()).orElse("")
        + words.destination().map(ip -> " > " + ip + "." + words.destinationPort()).orElse("")
        + ": "
        + words.says();
  }

  @Test
  void aHandshakeBeginsWithItsOptions() {
    assertThat(line(v4(28, 6, "c350 0050 00000007 00000000 7002 faf0 0000 0000 020405b4 01030307")))
        .isEqualTo(
            "IP 10.0.0.1.50000 > 10.0.0.2.80: Flags [S], seq 7, win 64240, options [mss"
                + " 1460,wscale 7], length 0");
  }

  @Test
  void dataHasItsPlaceInTheStream() {
    assertThat(line(v4(23, 6, "0050 c350 00000064 00000008 5018 0200 0000 0000 616263")))
        .isEqualTo(
            "IP 10.0.0.1.80 > 10.0.0.2.50000: Flags [P.], seq 100:103, ack 8, win 512, length 3");
  }

  @Test
  void namesThatAreAskedForAreShownWithTheAnswer() {
    String question = "0377656203737663 00 0001 0001".replace(" ", "");
    assertThat(line(v4(33, 17, "c350 0035 0021 0000 0007 0100 0001 0000 0000 0000" + question)))
        .isEqualTo("IP 10.0.0.1.50000 > 10.0.0.2.53: 7+ A? web.svc. (25)");
    assertThat(
            line(
                v4(
                    49,
                    17,
                    "0035 c350 0031 0000 0007 8180 0001 0001 0000 0000"
                        + question
                        + "c00c 0001 0001 0000001e 0004 0a600001")))
        .endsWith(": 7 A web.svc. 1: A 10.96.0.1 (41)");
    assertThat(line(v4(33, 17, "0035 c350 0021 0000 0007 8183 0001 0000 0000 0000" + question)))
        .contains("7 NXDomain A web.svc. 0");
  }

  @Test
  void aPacketThatIsTooLargeSaysWhatWouldFit() {
    assertThat(
            line(
                v4(
                    36,
                    1,
                    "0304 0000 0000 05aa 45000028 00000000 40060000 0a000002 0a000009 0050 c350"
                        + " 00000000")))
        .isEqualTo(
            "IP 10.0.0.1.0 > 10.0.0.2.0: ICMP 10.0.0.9 unreachable - need to frag (mtu 1450),"
                + " length 36");
  }

  @Test
  void arpAndNeighboursAreReadableToo() {
    assertThat(line(MACS + "0806 0001080006040001 020000000001 0a000001 000000000000 0a000002"))
        .isEqualTo("ARP: Request who-has 10.0.0.2 tell 10.0.0.1");
    assertThat(
            line(
                MACS
                    + "86dd 60000000 0018 3a ff fd000000000000000000000000000001"
                    + "ff0200000000000000000001ff000002 87000000 00000000"
                    + "fd000000000000000000000000000002"))
        .endsWith("ICMP6, neighbor solicitation, who has fd00::2, length 24");
  }

  @Test
  void laterFragmentsHaveNoPorts() {
    assertThat(
            line(MACS + "0800 4500 0030 0009 20b9 4011 0000 0a000001 0a000002 ffffffff ffffffff"))
        .isEqualTo("IP 10.0.0.1.0 > 10.0.0.2.0: (frag 9:1480+) length 28");
  }

  @Test
  void tagsOfVirtualLansAreNamed() {
    assertThat(line(MACS + "8100 0005 0806 0001080006040002 020000000001 0a000001"))
        .isEqualTo("ARP: vlan 5, Reply 10.0.0.1 is-at 02:00:00:00:00:01");
  }

  @Test
  void noPacketWhateverIsInItCannotBeRead() {
    long seed = Long.getLong("sund.seed", System.nanoTime());
    Random random = new Random(seed);
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = new byte[random.nextInt(120)];
      random.nextBytes(bytes);
      if (bytes.length > 24 && random.nextBoolean()) {
        bytes[12] = (byte) (random.nextBoolean() ? 8 : 0x86);
        bytes[13] = (byte) (bytes[12] == 8 ? 0 : 0xdd);
        bytes[14] = (byte) (bytes[12] == 8 ? 0x45 : 0x60);
        bytes[23] = (byte) (random.nextBoolean() ? 17 : 6);
        if (bytes.length > 40 && random.nextBoolean()) {
          bytes[36] = 0;
          bytes[37] = 53;
        }
      }
      for (LinkForm form : LinkForm.values()) {
        assertThat(PacketWords.read(ByteBuffer.wrap(bytes), 0, bytes.length, 1500, form).says())
            .as("seed " + seed)
            .isNotNull();
      }
    }
  }
}
