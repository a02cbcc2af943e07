package dev.sund.kernel.ipvs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.model.Ip;
import java.util.List;
import org.junit.jupiter.api.Test;

class IpvsTextTest {
  @Test
  void virtualServersOfBothFamiliesAreRead() {
    List<String> lines =
        """
        IP Virtual Server version 1.2.1 (size=4096)
        Prot LocalAddress:Port Scheduler Flags
          -> RemoteAddress:Port Forward Weight ActiveConn InActConn
        TCP  0A60000A:0050 rr\s
          -> 0AF40105:1F90      Masq    1      1          0\s\s\s\s\s\s\s\s\s
        UDP  [fd00:0096:0000:0000:0000:0000:0000:000a]:0035 rr\s
        FWM  0000000A rr\s
        SCTP C0A84D01:7530 sh\s
        """
            .lines()
            .toList();

    assertThat(IpvsText.servers(lines))
        .containsExactly(
            new VirtualServer(6, Ip.parse("10.96.0.10"), 80),
            new VirtualServer(17, Ip.parse("fd00:96::a"), 53),
            new VirtualServer(132, Ip.parse("192.168.77.1"), 30000));
  }

  @Test
  void establishedConnectionsAreCounted() {
    List<String> lines =
        """
        Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
        TCP 0AF40106 8C2E 0A60000A 0050 0AF40105 1F90 ESTABLISHED     899
        TCP 0AF40106 8C2C 0A60000A 0050 0AF40105 1F90 TIME_WAIT        59
        UDP 0AF40106 8C2C 0A60000A 0035 0AF40105 0035 UDP             299
        """
            .lines()
            .toList();

    assertThat(IpvsText.established(lines)).isEqualTo(1);
    assertThat(IpvsText.established(List.of())).isZero();
  }
}
