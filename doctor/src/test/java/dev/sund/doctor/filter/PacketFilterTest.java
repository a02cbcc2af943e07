package dev.sund.doctor.filter;

import static dev.sund.kernel.packet.Bpf.BPF_MAXINSNS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.kernel.packet.BpfInstruction;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PacketFilterTest {
  private static final PortNames PORTS =
      PortNames.read("domain 53/tcp\ndomain 53/udp\nssh 22/tcp secure-shell # a comment\nx y/tcp");

  private static List<BpfInstruction> program(String text) throws FilterSyntaxException {
    return PacketFilter.parse(text, PORTS).program(LinkForm.ETHERNET, 100);
  }

  @Test
  void withoutAnExpressionEveryPacketIsTaken() throws FilterSyntaxException {
    assertThat(BpfMachine.run(program(""), new byte[1], 1)).isEqualTo(100);
    assertThat(BpfMachine.run(program("  "), new byte[0], 0)).isEqualTo(100);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          tcp port                       | 8  | it ends too early
          host                           | 4  | it ends too early
          host www.example.com           | 5  | names are not looked up
          10.0.0.1                       | 0  | needs a keyword before it
          tcp host 10.0.0.1              | 9  | has no address of its own: tcp and host 10.0.0.1
          icmp port 80                   | 10 | icmp has no ports
          port 65536                     | 5  | is no number from 0 to 65535
          net 10.0.0.1/8                 | 13 | bits beyond the 8
          ether host 10.0.0.1            | 11 | is no hardware address
          host 02:00:00:00:00:01         | 5  | needs ether before it
          (tcp                           | 4  | expected ')'
          tcp)                           | 3  | expected 'and' or 'or'
          tcp udp                        | 4  | expected 'and' or 'or'
          tcp[0:3] = 1                   | 6  | 1, 2 or 4 bytes
          tcp[13] & 2                    | 11 | expected a comparison
          ip[2] / 0 = 1                  | 8  | divided by 0
          port 80 or                     | 10 | it ends too early
          vlan 5000                      | 5  | is no number from 0 to 4095
          gateway 10.0.0.1               | 0  | is not known here
          src proto 6                    | 10 | a protocol has no src
          portrange 80                   | 10 | is no range
          """)
  void whatIsWrongIsSaidWithItsPlace(String text, int place, String why) {
    assertThatThrownBy(() -> program(text))
        .isInstanceOf(FilterSyntaxException.class)
        .hasMessageContaining(why)
        .extracting(e -> ((FilterSyntaxException) e).position())
        .isEqualTo(place);
  }

  @Test
  void aWordWithoutAKeywordTakesTheLastOnes() throws FilterSyntaxException {
    assertThat(program("tcp dst port 80 or 443"))
        .isEqualTo(program("tcp dst port 80 or tcp dst port 443"));
    assertThat(program("port (80 or 443)")).isEqualTo(program("port 80 or port 443"));
    assertThat(program("port domain")).isEqualTo(program("port 53"));
    assertThat(program("port secure-shell")).isEqualTo(program("tcp port 22"));
  }

  /** A jump reaches 255 instructions; a long list of addresses is longer. */
  @Test
  void aLongFilterJumpsInSteps() throws FilterSyntaxException {
    StringBuilder text = new StringBuilder("host 10.0.0.0");
    for (int i = 1; i < 100; i++) {
      text.append(" or ").append("10.0.0.").append(i);
    }
    List<BpfInstruction> program = program(text + " and not port 53");
    assertThat(program.size()).isBetween(600, BPF_MAXINSNS);
    byte[] packet = new byte[60];
    packet[12] = 8;
    packet[14] = 0x45;
    packet[23] = 6;
    packet[26] = 10;
    packet[29] = (byte) 99;
    assertThat(BpfMachine.run(program, packet, 60)).isEqualTo(100);
    packet[29] = (byte) 100;
    assertThat(BpfMachine.run(program, packet, 60)).isZero();
  }

  @Test
  void whatTheKernelWouldNotTakeIsRefused() {
    StringBuilder text = new StringBuilder("host fd00::1");
    for (int i = 2; i < 500; i++) {
      text.append(" or fd00::").append(Integer.toHexString(i));
    }
    assertThatThrownBy(() -> program(text.toString()))
        .hasMessageContaining("too long for the kernel");
    assertThatThrownBy(() -> program("(".repeat(30_000))).hasMessageContaining("characters");
  }

  @Test
  void onATunnelsDeviceThePacketBeginsWithItsNetworkHeader() throws FilterSyntaxException {
    List<BpfInstruction> program =
        PacketFilter.parse("udp port 53 and net 10.0.0.0/8", PORTS).program(LinkForm.IP, 100);
    byte[] packet = new byte[40];
    packet[0] = 0x45;
    packet[9] = 17;
    packet[12] = 10;
    packet[23] = 53;
    assertThat(BpfMachine.run(program, packet, 40)).isEqualTo(100);
    packet[0] = 0x65;
    assertThat(BpfMachine.run(program, packet, 40)).isZero();
  }
}
