package dev.sund.it.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.doctor.Result;
import dev.sund.doctor.check.Fabric;
import dev.sund.doctor.check.Peer;
import dev.sund.doctor.probe.Crossing;
import dev.sund.it.doctor.ProbeBed.Probed;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Family;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a probe finds between two nodes, each fault made for real and one way at a time. */
@Tag("netns")
@Timeout(90)
class ProbeTest {
  private static final String TUNNELS =
      "link=flannel.1 kind=vxlan up=1 port=8472\nlink=tunl0 kind=ipip up=1\n";

  private static Set<Crossing> all(Family family) {
    Set<Crossing> all = EnumSet.allOf(Crossing.class);
    if (family == Family.V6) {
      all.remove(Crossing.IPIP);
    }
    return all;
  }

  @ParameterizedTest
  @EnumSource
  void aSwitchLetsEverythingPassAndNobodyIsSentMoreThanHeSent(Family family) throws Exception {
    try (ProbeBed bed = ProbeBed.bridged()) {
      bed.answer();
      Probed probed = bed.probe(family, TUNNELS);

      assertThat(probed.findings()).isEmpty();
      assertThat(probed.found().unread()).isEmpty();
      Peer peer = probed.peer();
      assertThat(peer.there().heard()).isEqualTo(all(family));
      assertThat(peer.back().heard()).isEqualTo(all(family));
      assertThat(peer.carries()).isEqualTo(1_500);
      assertThat(peer.onLink()).isTrue();
      assertThat(peer.echoes().sent()).isEqualTo(50);
      assertThat(Fabric.of(peer).settings()).contains("vxlanMode: CrossSubnet");

      // The answerer's node: what it received and what it sent.
      long received = ProbeBed.counter(bed.b, "eth0", "rx_bytes");
      assertThat(ProbeBed.counter(bed.b, "eth0", "tx_bytes")).isLessThan(received);
      assertThat(received).isLessThan(200_000);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aNarrowWayIsMeasuredExactlyAndWhoSaysSoIsNamed(Family family) throws Exception {
    try (ProbeBed bed = ProbeBed.routed(1_403)) {
      bed.answer();
      Probed probed = bed.probe(family, "");

      Peer peer = probed.peer();
      assertThat(peer.there().carries()).isEqualTo(1_403);
      assertThat(peer.back().carries()).isEqualTo(1_403);
      assertThat(peer.onLink()).isFalse();
      assertThat(probed.findings())
          .anySatisfy(text ->
              assertThat(text)
                  .startsWith("warning probe-path-mtu")
                  .contains("1403 bytes are the most that pass to " + bed.peer(family))
                  .contains(family == Family.V4 ? "10.77.1.254 says so" : "fd77:1::fe says so"))
          .anySatisfy(text ->
              assertThat(text)
                  .startsWith("warning probe-path-mtu")
                  .contains(family == Family.V4 ? "10.77.2.254 says so" : "fd77:2::fe says so"))
          .noneMatch(text -> text.contains("probe-icmp"))
          .noneMatch(text -> text.startsWith("error"));
      assertThat(peer.there().skipped())
          .containsEntry(Crossing.SECOND_MAC, "a router between")
          .containsEntry(Crossing.FOREIGN_ANSWER, "a router between");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aBlackHoleOfOneWayIsToldFromAnHonestRouter(Family family) throws Exception {
    try (ProbeBed bed = ProbeBed.routed(1_300)) {
      bed.nft(
          bed.middle,
          """
          table inet hole { chain out { type filter hook output priority 0;
            icmp type destination-unreachable drop
            icmpv6 type packet-too-big drop
          }
          }
          """);
      bed.answer();
      Probed probed = bed.probe(family, "");

      assertThat(probed.findings())
          .anySatisfy(text ->
              assertThat(text)
                  .startsWith("error probe-path-mtu")
                  .contains("1300 bytes are the most that pass to " + bed.peer(family))
                  .contains("larger ones vanish"))
          .anySatisfy(text ->
              assertThat(text)
                  .startsWith("warning probe-path-mtu")
                  .contains("1300 bytes are the most that pass from " + bed.peer(family)))
          .anySatisfy(text ->
              assertThat(text)
                  .startsWith("warning probe-icmp")
                  .contains("Packets to " + bed.peer(family) + " above 1300 bytes are lost"));
    }
  }

  @Test
  void whatIsBlockedOneWayIsNamedWithItsWayAndATunnelThatNeedsIt() throws Exception {
    try (ProbeBed bed = ProbeBed.bridged()) {
      // What comes in by a port of the switch goes one way.
      bed.nft(
          bed.middle,
          """
          table netdev filter {
            chain there { type filter hook ingress device "porta" priority 0;
              ip protocol 4 drop
              ip saddr 10.78.0.0/16 drop
              udp dport 8472 drop
              udp dport 6081 drop
            }
            chain back { type filter hook ingress device "portb" priority 0;
              tcp dport 179 drop
              arp operation reply arp saddr ip 192.0.2.83 drop
              ether type ip ether saddr != %s drop
              udp dport 4789 drop
              udp dport 6081 drop
            }
          }
          """
              .formatted(mac(bed)));
      bed.answer();
      Probed probed = bed.probe(Family.V4, TUNNELS);

      Peer peer = probed.peer();
      Set<Crossing> there = all(Family.V4);
      there.removeAll(
          Set.of(Crossing.IPIP, Crossing.POD_SOURCE, Crossing.FLANNEL, Crossing.GENEVE));
      Set<Crossing> back = all(Family.V4);
      back.removeAll(
          Set.of(
              Crossing.BGP,
              Crossing.FOREIGN_ANSWER,
              Crossing.SECOND_MAC,
              Crossing.VXLAN,
              Crossing.GENEVE));
      assertThat(peer.there().heard()).isEqualTo(there);
      assertThat(peer.back().heard()).isEqualTo(back);
      assertThat(probed.findings())
          .anySatisfy(text ->
              assertThat(text)
                  .startsWith("error probe-underlay: tunl0 needs IP protocol 4")
                  .contains("nothing passes to 10.77.1.2."))
          .anySatisfy(
              text -> assertThat(text).startsWith("error probe-underlay: flannel.1 needs UDP 8472"))
          .anySatisfy(text ->
              assertThat(text)
                  .startsWith("note probe-underlay")
                  .contains("UDP 6081 (Geneve) to 10.77.1.2 and from 10.77.1.2")
                  .contains("TCP 179 (BGP) from 10.77.1.2")
                  .contains("UDP 4789 (VXLAN) from 10.77.1.2"));
      assertThat(Fabric.of(peer).settings()).endsWith("Fabric vxlanPort: 51820");
    }
  }

  private static String mac(ProbeBed bed) {
    return TestNetns.ip(bed.b, "link", "show", "dev", "eth0").only().get("address").text();
  }

  @ParameterizedTest
  @EnumSource
  void lossOfOneWayIsCountedAndSizesAreRightAllTheSame(Family family) throws Exception {
    try (ProbeBed bed = ProbeBed.bridged()) {
      bed.answer();
      bed.nft(
          bed.middle,
          """
          table netdev loss { chain there { type filter hook ingress device "porta" priority 0;
            udp dport 7883 numgen random mod 100 < 20 drop
          }
          }
          """);
      Probed probed = bed.probe(family, "");

      Peer peer = probed.peer();
      assertThat(peer.echoes().heard()).isBetween(20L, 49L);
      assertThat(peer.echoes().back()).isEqualTo(peer.echoes().heard());
      assertThat(peer.carries()).isEqualTo(1_500);
      assertThat(probed.findings())
          .hasSize(1)
          .first()
          .asString()
          .startsWith("error probe-latency")
          .contains("of 50 small packets to " + bed.peer(family) + " were lost");
    }
  }

  @Test
  void aJumboEndOnANarrowLinkIsFoundAndNotCalledABlackHole() throws Exception {
    try (ProbeBed bed = ProbeBed.bridged()) {
      bed.ip(bed.a, "link set eth0 mtu 9000");
      bed.ip(bed.middle, "link set porta mtu 9000");
      bed.answer();
      Probed probed = bed.probe(Family.V4, "");

      assertThat(probed.findings())
          .containsExactly(
              "error probe-jumbo: Both are on one link with different MTUs: eth0 here 9000, eth0"
                  + " there 1500.");
      assertThat(probed.peer().there().carries()).isEqualTo(1_500);
    }
  }

  @Test
  void aTunnelWithinSomethingThatTakesATunnelsBytesIsFound() throws Exception {
    try (ProbeBed bed = ProbeBed.routed(1_450)) {
      bed.answer();
      assertThat(bed.probe(Family.V4, TUNNELS).findings())
          .anySatisfy(text ->
              assertThat(text)
                  .startsWith("warning probe-encapsulation: The way to 10.77.2.2 carries 1450")
                  .contains("probably VXLAN, or Geneve without options", "flannel.1")
                  .endsWith(" wraps again."));
    }
    try (ProbeBed bed = ProbeBed.routed(1_500)) {
      bed.answer();
      assertThat(bed.probe(Family.V4, TUNNELS).findings())
          .noneMatch(text -> text.contains("probe-encapsulation"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void whoNeverRepliesIsSaidWithTheRemedyAndNothingPasses(Family family) throws Exception {
    try (ProbeBed bed = ProbeBed.bridged()) {
      Probed refused = bed.probe(family, "");
      assertUnread(refused, "refuses (nobody listens at UDP port 7883)");

      bed.nft(
          bed.b,
          """
          table inet silent { chain in { type filter hook input priority 0;
            udp dport 7883 drop
          }
          }
          """);
      Probed silent = bed.probe(family, "");
      assertUnread(silent, "never replied at UDP port 7883");
    }
  }

  private static void assertUnread(Probed probed, String why) {
    assertThat(probed.found().unread()).hasSameSizeAs(probed.found().results());
    assertThat(probed.found().unread())
        .allSatisfy(result -> {
          Result.Unread unread = (Result.Unread) result.outcome();
          assertThat(unread.why()).contains(why);
          assertThat(unread.remedy())
              .isEqualTo("Run sudo sund answer on it, and open UDP port 7883 there for this node.");
        });
  }
}
