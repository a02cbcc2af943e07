package dev.sund.it.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiPath;
import dev.sund.kube.api.Dialer;
import dev.sund.kube.api.Kubeconfig;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What changes while a lab stands: objects, by its own commands and through its API; nodes. */
@Tag("netns")
class LabChangesTest {
  private static final String ALL_AGREE = "[1-9][0-9]* probes, [1-9][0-9]* agree, 0 differ";
  private static final String POD =
      """
      apiVersion: v1
      kind: Pod
      metadata: {namespace: shop, name: late}
      spec: {containers: [{name: main, image: none, ports: [{containerPort: 8099}]}]}
      """;

  @TempDir Path directory;

  private LabProcess ask(LabProcess lab, String command, String... rest) throws Exception {
    String[] words = new String[rest.length + 3];
    words[0] = command;
    words[1] = "--lab";
    words[2] = String.valueOf(lab.id());
    System.arraycopy(rest, 0, words, 3, rest.length);
    return LabProcess.run(directory, words);
  }

  @Test
  void podsComeAndGoByCommandAndThroughTheApi() throws Exception {
    Path file = Files.writeString(directory.resolve("late.yaml"), POD);
    try (LabProcess lab = LabProcess.start(directory).until("stands until Ctrl-C")) {
      LabProcess applied = ask(lab, "apply", "-f", file.toString());
      assertThat(applied.exitCode()).as(applied.out() + applied.err() + lab.err()).isZero();
      assertThat(applied.out()).contains("Pod shop/late created").contains("pod shop/late runs on");
      assertThat(applied.lastLine()).matches(ALL_AGREE);

      LabProcess inside = ask(lab, "exec", "shop/late", "--", "ip", "-br", "addr", "show", "eth0");
      assertThat(inside.exitCode()).as(inside.err()).isZero();
      assertThat(inside.out()).startsWith("eth0@");
      assertThat(ask(lab, "exec", "shop/late", "--", "false").exitCode()).isEqualTo(1);
      assertThat(ask(lab, "exec", "shop/nobody", "--", "true").exitCode()).isEqualTo(2);

      throughTheApi(lab);

      LabProcess deleted = ask(lab, "delete", "-f", file.toString());
      assertThat(deleted.exitCode()).as(deleted.out()).isZero();
      assertThat(deleted.out()).contains("pod shop/late is gone").doesNotContain("8099");
      assertThat(deleted.lastLine()).matches(ALL_AGREE);

      Path odd = Files.writeString(directory.resolve("odd"), POD.replace("late", "Late_"));
      LabProcess piped =
          LabProcess.reading(
              odd.toFile(), directory, "apply", "--lab", String.valueOf(lab.id()), "-f", "-");
      assertThat(piped.exitCode()).isEqualTo(2);
      assertThat(piped.out()).startsWith("standard input:").contains("'Late_' is not a name");

      Path node = directory.resolve("node.yaml");
      Files.writeString(node, "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n");
      LabProcess refused = ask(lab, "delete", "-f", node.toString());
      assertThat(refused.exitCode()).isEqualTo(2);
      assertThat(refused.out()).contains("Node n1: the nodes of a lab stand as long as it does");
    }
  }

  /** A pod that a program creates by the lab's kubeconfig runs, and ends when it is deleted. */
  private static void throughTheApi(LabProcess lab) throws Exception {
    Path kubeconfig = Path.of("/run/sund-lab/" + lab.id() + "/kubeconfig");
    ApiPath pods = ApiPath.of("v1", "pods").in("shop");
    try (ApiObjects objects =
        new ApiObjects(
            Kubeconfig.read(kubeconfig, List.of(), Map.of()),
            Dialer.HERE,
            Duration.ofSeconds(10))) {
      objects.create(
          pods.all(),
          (Tree.Mapping)
              JsonTrees.parse("{\"metadata\":{\"name\":\"other\"},\"spec\":{\"containers\":[]}}"));
      lab.until("pod shop/other runs on");
      Tree.Mapping status =
          objects.read(pods.named("other")).orElseThrow().mapping("status").orElseThrow();
      assertThat(status.text("phase")).contains("Running");
      objects.delete(pods.named("other"), java.util.Optional.empty());
      lab.until("pod shop/other is gone");
    }
  }

  @Test
  void nodesAreCutOffDieAndComeBack() throws Exception {
    try (LabProcess lab = LabProcess.start(directory).until("stands until Ctrl-C")) {
      LabProcess apart = ask(lab, "fault", "partition", "n1");
      assertThat(apart.exitCode()).as(apart.out()).isZero();
      assertThat(apart.out()).contains("reach no=no");
      assertThat(apart.lastLine()).matches(ALL_AGREE);
      LabProcess together = ask(lab, "fault", "partition", "n1", "--restore");
      assertThat(together.exitCode()).as(together.out()).isZero();

      LabProcess dead = ask(lab, "fault", "kill-node", "n2");
      assertThat(dead.exitCode()).as(dead.out()).isZero();
      assertThat(dead.lastLine()).matches(ALL_AGREE);
      assertThat(ask(lab, "status").out()).contains("node n2  agent is gone, its node is off");

      LabProcess back = ask(lab, "fault", "restart-node", "n2");
      assertThat(back.exitCode()).as(back.out() + lab.err()).isZero();
      assertThat(back.out()).contains("its kernel began empty").doesNotContain("drift");
      assertThat(back.lastLine()).matches(ALL_AGREE);

      lab.interrupt();
      lab.exitCode();
      assertThat(LabProcess.leftBy(lab.id())).isEmpty();
    }
  }
}
