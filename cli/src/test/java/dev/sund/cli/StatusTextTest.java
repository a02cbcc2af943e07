package dev.sund.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Json;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What {@code sund status} prints of what an agent answers. */
class StatusTextTest {
  private static final Instant NOW = Instant.parse("2026-03-01T12:20:05Z");
  private static final String WELL =
      """
      {"node":"n1","version":"0.1.0","since":"2026-03-01T12:00:05Z","ready":true,
       "readySince":"2026-03-01T12:00:06Z","notReady":[],
       "uplinks":[{"address":"192.168.1.11","device":"eth0","mtu":1500},
                  {"address":"fd00:192:168:1::11","device":"eth0","mtu":1500}],
       "podMtu":{"v4":1450,"v6":1430},
       "api":{"server":"192.168.1.254:6443","reachable":true,
              "since":"2026-03-01T11:20:00Z","problem":""},
       "applied":7,"pending":0,
       "program":{"localPods":1,"routes":5,"tunnels":["sund-vxlan4","sund-vxlan6"],
                  "tunnelPeers":4,"frontends":1},
       "ranges":[{"pool":"","range":"10.244.1.0/24","all":253,"used":2,"cooling":0,"free":251},
                 {"pool":"","range":"fd00:10:244:1::/64","all":18446744073709551,"used":2,
                  "cooling":0,"free":9}],
       "repaired":{"nft":2,"routes":1},"bridged":1,
       "cni":{"conflist":"/etc/cni/net.d/10-sund.conflist","written":true},
       "services":{"served":true,"count":12,"nodePorts":"all","choice":"random"},
       "doctor":{"period":60,"ran":"2026-03-01T12:20:00Z","seconds":0.2,"checks":53,
                 "findings":{"error":0,"warning":1,"note":2},
                 "unread":[{"check":"rings","why":"no","remedy":"Run it as root."}]},
       "peers":{"port":9471,"problem":"","ways":[
         {"node":"n2","family":"IPv4","address":"192.168.1.12","state":"answers","answered":60,
          "lost":0,"refused":0,"lossPercent":0.0,"medianMillis":0.214,"p99Millis":0.5,
          "jitterMillis":0.031},
         {"node":"n3","family":"IPv6","address":"fd00::13","state":"answers","answered":59,
          "lost":1,"refused":0,"lossPercent":1.667,"medianMillis":0.3,"p99Millis":0.5,
          "jitterMillis":0.04}]},
       "attachments":[{"pod":"shop/web","device":"sund0123456789a","interface":"eth0",
                       "addresses":["10.244.1.5","fd00:10:244:1::5"],"netns":"/run/netns/web"}],
       "conditions":[
        {"reason":"swap","severity":"warning","object":{"kind":"check","name":"swap"},
         "field":"vm.swappiness","text":"Memory is swapped.","remedy":"swapoff -a"}]}
      """;
  private static final String ILL =
      """
      {"node":"n2","version":"0.1.0","since":"2026-02-27T12:00:05Z","ready":false,
       "readySince":"","notReady":["The first list of the cluster's objects is not here yet."],
       "uplinks":[],"podMtu":{},
       "api":{"server":"192.168.1.254:6443","reachable":false,
              "since":"2026-03-01T12:20:04Z","problem":"Connection refused"},
       "applied":0,"pending":3,
       "program":{"localPods":0,"routes":1,"tunnels":[],"tunnelPeers":0,"frontends":0},
       "ranges":[],"repaired":{},"bridged":0,"cni":{},
       "services":{"served":false,"count":1,"nodePorts":"primary","choice":"random"},
       "attachments":[],
       "conditions":[
        {"reason":"b","severity":"warning","object":{"kind":"Node","name":"n3"},"field":"",
         "text":"It has no podCIDR.","remedy":"Give it one."},
        {"reason":"a","severity":"error","object":{"kind":"APIServer","name":"x"},"field":"",
         "text":"It does not answer.","remedy":"Start it."}]}
      """;

  @Test
  void aNodeThatIsWellIsTenLinesAndTheDoctorMayWarn() throws Exception {
    StatusText text = text(WELL, false);
    assertThat(text.well()).isTrue();
    assertThat(text.lines())
        .containsExactly(
            "node       n1: 192.168.1.11, fd00:192:168:1::11",
            "agent      ready, version 0.1.0, since 2026-03-01 12:00:05 (20 minutes)",
            "API        192.168.1.254:6443 answers since 2026-03-01 11:20:00 (1 hour)",
            "pods       1 with a network, 1 container on bridges, MTU 1450 (v4), 1430 (v6); eth0 1500;"
                + " /etc/cni/net.d/10-sund.conflist is written",
            "program    5 routes, sund-vxlan4 sund-vxlan6 to 4 peers, 1 translated port; 12 Services,"
                + " node ports at all addresses of the node",
            "addresses  10.244.1.0/24 2 of 253 (1%), fd00:10:244:1::/64 2 used",
            "repaired   2 in nft, 1 in routes",
            "doctor     53 checks: 1 warning, 2 notes, 1 could not read what they need; warning:"
                + " vm.swappiness: Memory is swapped. (sund doctor --explain swap)",
            "peers      2 ways measured, the worst: n3 by IPv6 loses 1.667 %, round trip 0.3 ms,"
                + " jitter 0.04 ms",
            "open       nothing");
    assertThat(text.details())
        .containsExactly(
            "warning: vm.swappiness: Memory is swapped. (sund doctor --explain swap)",
            "sund0123456789a  shop/web  10.244.1.5 fd00:10:244:1::5");
  }

  @Test
  void aNodeThatIsNotSaysWhyInTenLinesTooTheGravestFirst() throws Exception {
    StatusText text = text(ILL, false);
    assertThat(text.well()).isFalse();
    assertThat(text.lines())
        .containsExactly(
            "node       n2",
            "agent      not ready, version 0.1.0, since 2026-02-27 12:00:05 (2 days);"
                + " The first list of the cluster's objects is not here yet.",
            "API        away since 2026-03-01 12:20:04 (1 second); Connection refused",
            "pods       0 with a network, MTU not known yet; no conflist is asked for (--cni-conf-dir)",
            "program    1 route, no tunnel; 3 changes due; Services left to somebody else: they are"
                + " switched off here",
            "addresses  no range is known yet",
            "repaired   nothing since the agent's start",
            "doctor     no checks run (--doctor-period)",
            "peers      none is measured (--peer-port)",
            "open       2, the first: error: APIServer x: It does not answer. Start it. [a]");
    assertThat(text.details())
        .containsExactly(
            "not ready: The first list of the cluster's objects is not here yet.",
            "warning: Node n3: It has no podCIDR. Give it one. [b]",
            "error: APIServer x: It does not answer. Start it. [a]");
  }

  @Test
  void anErrorOfTheDoctorsIsSomethingToDo() throws Exception {
    StatusText text =
        text(WELL.replace("\"severity\":\"warning\"", "\"severity\":\"error\""), false);
    assertThat(text.well()).isFalse();
    assertThat(text.lines()).contains("open       nothing");
  }

  @Test
  void peersThatRefuseOrCannotBeAskedAreNamed() throws Exception {
    assertThat(text(WELL.replace("\"answers\"", "\"refuses\""), false).lines().get(8))
        .isEqualTo(
            "peers      2 ways measured, the worst: n3 by IPv6 refuses: its agent is away, or"
                + " measures nobody");
    assertThat(
            text(WELL.replace("\"problem\":\"\",\"ways\"", "\"problem\":\"UDP x\",\"ways\""), false)
                .lines()
                .get(8))
        .isEqualTo("peers      cannot be measured in full: UDP x");
  }

  @Test
  void fullRangesStandOutAndManyAreCut() throws Exception {
    Map<String, Object> status = Json.object(WELL.getBytes(StandardCharsets.UTF_8));
    status.put(
        "ranges",
        List.of(range(1, 64), range(2, 60), range(3, 0), range(4, 0), range(5, 0), range(6, 0)));
    StatusText text = new StatusText(status, NOW, ZoneOffset.UTC, new Colours(true));
    assertThat(text.lines().get(5))
        .isEqualTo(
            "addresses  \u001b[31m10.0.1.0/26 64 of 64 (100%)\u001b[0m,"
                + " \u001b[33m10.0.2.0/26 60 of 64 (94%)\u001b[0m, 10.0.3.0/26 0 of 64 (0%),"
                + " 10.0.4.0/26 0 of 64 (0%), and 2 more (sund ipam show)");
  }

  @Test
  void coloursAreThereOnlyWhenTheyAreAskedFor() throws Exception {
    assertThat(String.join("\n", text(ILL, true).lines()))
        .contains("\u001b[31mnot ready\u001b[0m", "\u001b[31maway\u001b[0m");
    assertThat(String.join("\n", text(ILL, false).lines())).doesNotContain("\u001b");
  }

  private static Map<String, Object> range(int number, long used) {
    return Map.of("pool", "p", "range", "10.0." + number + ".0/26", "all", 64L, "used", used);
  }

  private static StatusText text(String json, boolean colours) throws Exception {
    Map<String, Object> status = Json.object(json.getBytes(StandardCharsets.UTF_8));
    return new StatusText(status, NOW, ZoneOffset.UTC, new Colours(colours));
  }
}
