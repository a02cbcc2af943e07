package dev.sund.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.agent.local.Json;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What {@code sund drops} prints of an agent's answer. */
class DropsTextTest {
  private static final String EVENT =
      """
      {"time":"2026-11-22T04:12:03.120Z","direction":"in","reason":"policy-ingress",
       "pod":{"kind":"pod","name":"shop/db-0","address":"10.244.1.6"},
       "peer":{"kind":"pod","name":"test/probe","address":"10.244.2.5"},
       "protocol":"tcp","source":"10.244.2.5","destination":"10.244.1.6","port":5432,
       "policies":["NetworkPolicy shop/db","NetworkPolicy shop/deny-all"]}
      """;

  private final DropsText text = new DropsText(ZoneOffset.UTC);

  @Test
  void anEventIsOneLineWithBothEndsAndAllPolicies() throws Exception {
    assertThat(text.event(json(EVENT), false))
        .isEqualTo(
            "04:12:03.120  shop/db-0  in  from test/probe (10.244.2.5)  tcp 5432  policy-ingress:"
                + " isolated by NetworkPolicy shop/db, NetworkPolicy shop/deny-all");
  }

  @Test
  void eachReasonIsSaidInItsWay() throws Exception {
    assertThat(of("\"policy-ingress\"", "\"\""))
        .endsWith("policies have changed since: they would let it pass now");
    assertThat(
            of("\"policies\"", "\"rule\":\"ClusterNetworkPolicy no ingress rule 1\",\"policies\""))
        .endsWith("policy-ingress: ClusterNetworkPolicy no ingress rule 1");
    assertThat(of("\"reason\":\"policy-ingress\"", "\"reason\":\"source-not-own\""))
        .endsWith("source-not-own: it was sent from 10.244.2.5");
    assertThat(of("\"reason\":\"policy-ingress\"", "\"reason\":\"policy-unseen\""))
        .endsWith("policy-unseen: isolated by NetworkPolicy shop/db, NetworkPolicy shop/deny-all");
    assertThat(of("\"reason\":\"policy-ingress\"", "\"reason\":\"tagged-frame\""))
        .endsWith("tagged-frame: policies do not see what is in it");
    assertThat(of("\"in\"", "\"out\"")).contains("shop/db-0  out  to test/probe");
    assertThat(of("\"kind\":\"pod\",\"name\":\"test/probe\"", "\"kind\":\"node\",\"name\":\"n2\""))
        .contains("from node n2 (10.244.2.5)");
    assertThat(
            of(
                "\"kind\":\"pod\",\"name\":\"test/probe\"",
                "\"kind\":\"address\",\"name\":\"10.244.2.5\""))
        .contains("from 10.244.2.5  tcp");
    assertThat(
            of(
                "\"protocol\"",
                "\"asked\":{\"kind\":\"service\",\"name\":\"shop/db\",\"address\":\"10.96.0.12\","
                    + "\"port\":80},\"protocol\""))
        .contains("(10.244.2.5) as service shop/db (10.96.0.12) port 80  tcp 5432");
  }

  private String of(String from, String to) throws Exception {
    return text.event(json(EVENT.replace(from, to)), false);
  }

  @Test
  void countersAreATable() throws Exception {
    Map<String, Object> counter =
        json(
            """
            {"kind":"pod","pod":"shop/db-0","address":"10.244.1.6","direction":"in",
             "reason":"policy-ingress","packets":12,"bytes":720,
             "policies":["NetworkPolicy shop/deny-all"]}
            """);
    assertThat(counters(List.of(counter)))
        .isEqualTo(
            """
            POD        ADDRESS     WAY  REASON          PACKETS  BYTES  ISOLATED BY
            shop/db-0  10.244.1.6  in   policy-ingress  12       720    NetworkPolicy shop/deny-all
            """);
    assertThat(counters(List.of())).isEqualTo("nothing was dropped\n");
  }

  private String counters(List<Map<String, Object>> counters) {
    StringWriter written = new StringWriter();
    PrintWriter out = new PrintWriter(written);
    text.counters(out, counters, false);
    out.flush();
    return written.toString();
  }

  @Test
  void whatTheLogLeftOutIsSaid() throws Exception {
    assertThat(
            text.log(
                json(
                    "{\"since\":\"2026-11-22T04:10:00Z\",\"told\":200,\"untold\":1834,\"lost\":5}"),
                "n1: "))
        .containsExactly(
            "n1: 200 packets were shown since 04:10:00.000, and 1,834 more were dropped and not"
                + " shown: the kernel shows at most 100 a second of a kind, and 5 were lost on the"
                + " way to the agent.");
    assertThat(text.log(json("{\"told\":200,\"untold\":0,\"lost\":0}"), "")).isEmpty();
    assertThat(
            text.log(json("{\"told\":0,\"untold\":0,\"lost\":0,\"trouble\":\"it is taken\"}"), ""))
        .containsExactly(
            "packets are counted and not shown: it is taken. Let no other program read nflog group"
                + " 83.");
  }

  @Test
  void timesHaveUnits() {
    assertThat(DropsView.duration("30s")).isEqualTo(Duration.ofSeconds(30));
    assertThat(DropsView.duration("2h")).isEqualTo(Duration.ofHours(2));
    assertThatThrownBy(() -> DropsView.duration("5 days"))
        .isInstanceOf(CommandFailure.class)
        .hasMessage("--since 5 days is no time.");
  }

  private static Map<String, Object> json(String text) throws Exception {
    return Json.object(text.getBytes(StandardCharsets.UTF_8));
  }
}
