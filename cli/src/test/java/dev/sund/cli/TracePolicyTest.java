package dev.sund.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code sund trace} says which policy stops a packet and what would let it through. */
class TracePolicyTest {
  private static final Path EXAMPLES = Path.of(System.getProperty("sund.root"), "examples");

  private final List<Path> files =
      new ArrayList<>(List.of(EXAMPLES.resolve("shop"), EXAMPLES.resolve("policies")));
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int trace(String... arguments) {
    List<String> all = new ArrayList<>(List.of("trace"));
    for (Path file : files) {
      all.addAll(List.of("-f", file.toString()));
    }
    all.addAll(Arrays.asList(arguments));
    return Sund.commandLine(Map.of())
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(all.toArray(String[]::new));
  }

  private int with(Path more, String... arguments) {
    files.add(more);
    return trace(arguments);
  }

  private String change() {
    String text = out.toString();
    int from = text.indexOf("  apiVersion:");
    return text.substring(from, text.indexOf("\n\n", from)).stripIndent();
  }

  /** N1, N4, N9: the articles' frontend asks the backend. */
  @Test
  void theRuleThatAllowsIsNamed() {
    assertThat(trace("production/frontend", "production/backend:5432")).isZero();
    assertThat(out.toString())
        .contains("NetworkPolicy production/allow-frontend-to-backend", "back:  answered");
  }

  /** N3: isolation that no rule opens, and the one rule that would. */
  @Test
  void theIsolationIsNamedAndOpened(@TempDir Path folder) throws IOException {
    assertThat(trace("shop/db-0", "production/backend:5432/tcp")).isEqualTo(ExitCode.DIFFERS);
    String text = out.toString();
    assertThat(text)
        .contains("there: policy-ingress, without a word to the sender")
        .contains("isolated by NetworkPolicy production/allow-frontend-to-backend")
        .contains("This would let it through:");
    String yaml = change();
    assertThat(yaml)
        .isEqualTo(
            """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata:
              name: allow-db-to-backend-5432
              namespace: production
            spec:
              podSelector:
                matchLabels:
                  app: backend
              policyTypes:
              - Ingress
              ingress:
              - from:
                - namespaceSelector:
                    matchLabels:
                      kubernetes.io/metadata.name: shop
                  podSelector:
                    matchLabels:
                      app: db
                ports:
                - protocol: TCP
                  port: 5432\
            """);
    Path change = Files.writeString(folder.resolve("change.yaml"), yaml);
    assertThat(with(change, "shop/db-0", "production/backend:5432/tcp")).isZero();
  }

  /** N23: both sides must allow, and both are opened. */
  @Test
  void bothEndsAreOpened(@TempDir Path folder) throws IOException {
    assertThat(trace("default/worker", "production/backend:5432")).isEqualTo(ExitCode.DIFFERS);
    String text = out.toString();
    assertThat(text)
        .contains(
            "there: policy-egress",
            "allow-worker-out-to-backend-5432",
            "allow-worker-to-backend-5432");
    String yaml = change();
    Path change = Files.writeString(folder.resolve("change.yaml"), yaml);
    assertThat(with(change, "default/worker", "production/backend:5432")).isZero();
  }

  /** N27: what a policy of the cluster denies, one before it accepts. */
  @Test
  void whatTheClusterDeniesTheClusterOpens(@TempDir Path folder) throws IOException {
    Path deny =
        Files.writeString(
            folder.resolve("deny.yaml"),
            """
            apiVersion: policy.networking.k8s.io/v1alpha2
            kind: ClusterNetworkPolicy
            metadata: {name: no-database}
            spec:
              tier: Admin
              priority: 20
              subject: {namespaces: {}}
              egress:
              - action: Deny
                to: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: db}}}}]
            """);
    assertThat(with(deny, "shop/web-6d4f9c7b58-2xkqp", "shop/db-0:5432")).isEqualTo(1);
    String text = out.toString();
    assertThat(text)
        .contains("cluster-policy-egress", "ClusterNetworkPolicy no-database", "priority: 19");
    String yaml = change();
    Path more = Files.writeString(folder.resolve("more.yaml"), yaml);
    assertThat(with(more, "shop/web-6d4f9c7b58-2xkqp", "shop/db-0:5432")).isZero();
  }

  /** N15: a pod's own node reaches it; N26: another node is only an address. */
  @Test
  void aPodsOwnNodeReachesIt() {
    assertThat(trace("node/n3", "production/backend:5432")).isZero();
    assertThat(trace("node/n1", "production/backend:5432")).isEqualTo(ExitCode.DIFFERS);
  }
}
