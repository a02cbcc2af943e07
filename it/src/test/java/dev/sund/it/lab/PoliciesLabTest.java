package dev.sund.it.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Policies in the lab: predicted from the tables, in force, and as packets find them. */
@Tag("netns")
@Timeout(180)
class PoliciesLabTest {
  private static final String ALL_AGREE = "[1-9][0-9]* probes, [1-9][0-9]* agree, 0 differ";

  @TempDir Path directory;

  private LabProcess ask(LabProcess lab, String command, String... rest) throws Exception {
    String[] words = new String[rest.length + 3];
    words[0] = command;
    words[1] = "--lab";
    words[2] = String.valueOf(lab.id());
    System.arraycopy(rest, 0, words, 3, rest.length);
    return LabProcess.run(directory, words);
  }

  /**
   * What is predicted and what is measured of the ways from one party to another, to a port or
   * (empty) to all that is asked, by IPv4 and IPv6; more than one word when they are not alike.
   */
  private String reach(LabProcess lab, String from, String to, String what) throws Exception {
    LabProcess asked = ask(lab, "probe", from, to);
    List<String> said = asked.out().lines().filter(line -> line.contains(what + " v")).toList();
    assertThat(said).as(asked.out() + lab.err()).hasSizeGreaterThanOrEqualTo(2);
    return said.stream()
        .map(line -> line.replaceFirst(".* reach (\\S+) .*", "$1"))
        .distinct()
        .collect(Collectors.joining(" "));
  }

  /** The policies of the articles (N1, N2, N3, N4, N9, N15, N23), and the cluster's (N27). */
  @Test
  void predictionsAndPacketsAgreeWhateverChanges() throws Exception {
    try (LabProcess lab = LabProcess.start(directory).until("stands until Ctrl-C")) {
      LabProcess first = ask(lab, "probe");
      assertThat(first.lastLine()).as(first.out() + lab.err()).matches(ALL_AGREE);
      assertThat(reach(lab, "production/frontend", "production/backend", "5432/tcp"))
          .isEqualTo("yes=yes");
      assertThat(reach(lab, "shop/api", "production/backend", "")).isEqualTo("no=no");
      // N15: the pod's own node, which the kubelet asks from; another node is not.
      assertThat(reach(lab, "n3", "production/backend", "")).isEqualTo("yes=yes");
      assertThat(reach(lab, "n1", "production/backend", "")).isEqualTo("no=no");
      // N25: names can be asked for, and nothing else.
      assertThat(reach(lab, "default/worker", "kube-system/coredns", "53/udp"))
          .isEqualTo("yes=yes");
      assertThat(reach(lab, "default/worker", "shop/api", "")).isEqualTo("no=no");

      // N24: a policy, then its end; a pod's label, in both orders.
      Path policy =
          Files.writeString(
              directory.resolve("closed.yaml"),
              """
              apiVersion: networking.k8s.io/v1
              kind: NetworkPolicy
              metadata: {name: db-closed, namespace: shop}
              spec:
                podSelector: {matchLabels: {app: db}}
                policyTypes: [Ingress, Egress]
              """);
      LabProcess applied = ask(lab, "apply", "-f", policy.toString());
      assertThat(applied.lastLine()).as(applied.out() + lab.err()).matches(ALL_AGREE);
      assertThat(reach(lab, "shop/api", "shop/db", "")).isEqualTo("no=no");
      Path late =
          Files.writeString(
              directory.resolve("late.yaml"),
              """
              apiVersion: v1
              kind: Pod
              metadata: {name: late, namespace: shop, labels: {app: db}}
              spec: {containers: [{name: main, image: none, ports: [{containerPort: 8099}]}]}
              """);
      LabProcess came = ask(lab, "apply", "-f", late.toString());
      assertThat(came.lastLine()).as(came.out() + lab.err()).matches(ALL_AGREE);
      assertThat(reach(lab, "shop/api", "shop/late", "8099/tcp")).isEqualTo("no=no");
      Files.writeString(late, Files.readString(late).replace("app: db", "app: other"));
      LabProcess relabelled = ask(lab, "apply", "-f", late.toString());
      assertThat(relabelled.lastLine()).as(relabelled.out() + lab.err()).matches(ALL_AGREE);
      assertThat(reach(lab, "shop/api", "shop/late", "8099/tcp")).isEqualTo("yes=yes");

      // An agent that dies and comes back, with a policy gone meanwhile.
      LabProcess killed = ask(lab, "fault", "kill-agent", "n3");
      assertThat(killed.exitCode()).as(killed.out() + lab.err()).isZero();
      LabProcess deleted = ask(lab, "delete", "-f", policy.toString());
      assertThat(deleted.lastLine()).as(deleted.out() + lab.err()).matches(ALL_AGREE);
    }
  }
}
