package dev.sund.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Json;
import dev.sund.lab.RollingUpdate.Report;
import dev.sund.lab.measure.Traffic.Account;
import dev.sund.model.PodKey;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a rolling update says of itself. */
class RollingUpdateTest {
  private static Report report(Account... accounts) {
    return new Report(
        "shop/web",
        "svc/shop/web:80",
        "shop/db-0",
        Map.of(new PodKey("shop", "web-1"), new PodKey("shop", "web-2")),
        List.of(accounts),
        Duration.ofSeconds(2));
  }

  private static Account account(String name, long sent, long failed, String problem) {
    return new Account(
        name, sent, sent - failed, 0, 0, failed, Duration.ofMillis(20 + failed), problem);
  }

  @Test
  void connectionsOfAllFlowsAreCounted() {
    assertThat(report(account("v4", 200, 0, ""), account("v6", 198, 0, "")))
        .hasToString(
            "1 pods of shop/web replaced; 398 connections from shop/db-0 to svc/shop/web:80, 199 a"
                + " second: none lost, longest gap 20 ms");
  }

  @Test
  void whatWasLostIsToldWithItsReason() {
    Report report =
        report(
            account("v4", 200, 1, "connect: Connection refused"), account("v6", 200, 2, "request"));
    assertThat(report.lost()).isEqualTo(3);
    assertThat(report.toString())
        .endsWith(": 3 lost, longest gap 22 ms (v4: connect: Connection refused; v6: request)");
    assertThat(Json.write(report.json()))
        .isEqualTo(
            "{\"owner\":\"shop/web\",\"service\":\"svc/shop/web:80\",\"from\":\"shop/db-0\","
                + "\"replaced\":{\"shop/web-1\":\"shop/web-2\"},\"connections\":400,"
                + "\"perSecond\":200,\"lost\":3,\"longestGapMillis\":22,"
                + "\"problems\":[\"v4: connect: Connection refused\",\"v6: request\"]}");
  }
}
