package dev.sund.doctor.pods;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.model.Ip;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pods are found by what runtimes and plugins leave on a node, as it lies in a made-up tree. */
class PodSearchTest {
  private static final String WEB = "5f2c9a1b".repeat(8);
  private static final String DB = "5f2d0000".repeat(8);
  private static final String UID = "0a1b2c3d-1111-2222-3333-444455556666";

  @TempDir Path root;

  @BeforeEach
  void aNodeWithAProcessOfItsOwn() throws IOException {
    process(1, 1, "0::/init.scope\n");
  }

  private PodSearch search() {
    return new PodSearch(root, root.resolve("var/lib/sund"));
  }

  private PodNetwork find(String asked) throws NoSuchPodException {
    return search().find(asked);
  }

  private void file(String path, String text) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private void process(long pid, long network, String cgroup) throws IOException {
    file("proc/" + pid + "/cgroup", cgroup);
    Path link = root.resolve("proc/" + pid + "/ns/net");
    Files.createDirectories(link.getParent());
    Files.createSymbolicLink(link, Path.of("net:[" + (4026531840L + network) + "]"));
  }

  private void addresses(long pid, String v4, String v6) throws IOException {
    file(
        "proc/" + pid + "/net/fib_trie",
        """
        Local:
          +-- 0.0.0.0/0 3 0 5
             |-- 127.0.0.1
                /32 host LOCAL
             |-- %s
                /32 host LOCAL
             |-- 10.244.1.255
                /32 link BROADCAST
        """
            .formatted(v4));
    file(
        "proc/" + pid + "/net/if_inet6",
        v6
            + " 02 40 00 80     eth0\n"
            + "00000000000000000000000000000001 01 80 10 80       lo\n"
            + "fe800000000000000000000000000005 02 40 20 80     eth0\n");
  }

  private Path namespace(String name) throws IOException {
    file("run/netns/" + name, "");
    return root.resolve("run/netns").resolve(name);
  }

  @Test
  void aPodIsFoundByTheRecordsOfSundsAgent() throws Exception {
    Path namespace = namespace("cni-1");
    file(
        "var/lib/sund/attachments/" + WEB + "@eth0.json",
        """
        {"containerId":"%s","interface":"eth0","netns":"/run/netns/cni-1","pod":"shop/web-0",
         "uid":"%s","addresses":["10.244.1.5","fd00:10:244:1::5"],"boot":"b"}
        """
            .formatted(WEB, UID));
    PodNetwork found = find("shop/web-0");
    assertThat(found.namespace()).isEqualTo(namespace);
    assertThat(found.container()).isEqualTo(WEB);
    assertThat(found.how()).isEqualTo("Sund's records");
    assertThat(find("10.244.1.5")).isEqualTo(found);
    assertThat(find("fd00:10:244:1:0:0:0:5")).isEqualTo(found);
    assertThat(find("web-0")).isEqualTo(found);
    assertThat(find("cri-o://" + WEB)).isEqualTo(found);
  }

  @Test
  void aPodOfAnotherPluginIsFoundByWhatTheRuntimeKeepsOfItsAnswer() throws Exception {
    Path namespace = namespace("cni-2");
    file(
        "var/lib/cni/results/cbr0-" + DB + "-eth0",
        """
        {"kind":"cniCacheV1","containerId":"%s","ifName":"eth0","networkName":"cbr0",
         "cniArgs":[["IgnoreUnknown","1"],["K8S_POD_NAMESPACE","shop"],["K8S_POD_NAME","db-0"]],
         "result":{"interfaces":[{"name":"cni0"},{"name":"eth0","sandbox":"/run/netns/cni-2"}],
                   "ips":[{"address":"10.244.1.6/24"}]}}
        """
            .formatted(DB));
    assertThat(find("shop/db-0").namespace()).isEqualTo(namespace);
    assertThat(find("10.244.1.6").name()).isEqualTo("shop/db-0");
  }

  @Test
  void aRecordOfANamespaceThatIsNoMoreIsNoPod() throws Exception {
    file(
        "var/lib/sund/attachments/x@eth0.json",
        "{\"containerId\":\"x\",\"netns\":\"/run/netns/gone\",\"pod\":\"shop/web-0\",\"addresses\":[]}");
    assertThatThrownBy(() -> find("shop/web-0")).isInstanceOf(NoSuchPodException.class);
  }

  @Test
  void aPodOfAnyRuntimeIsFoundByTheKubeletsFolderAndControlGroups() throws Exception {
    Files.createDirectories(root.resolve("var/log/pods/shop_api-1_" + UID));
    process(
        700,
        7,
        "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod"
            + UID.replace('-', '_')
            + ".slice/cri-containerd-"
            + WEB
            + ".scope\n");
    addresses(700, "10.244.1.7", "fd000010024400010000000000000007");
    PodNetwork found = find("shop/api-1");
    assertThat(found.pid()).isEqualTo(OptionalLong.of(700));
    assertThat(found.namespace()).isEqualTo(root.resolve("proc/700/ns/net"));
    assertThat(found.addresses())
        .containsExactlyInAnyOrder(Ip.parse("10.244.1.7"), Ip.parse("fd00:10:244:1::7"));
    assertThat(found.node()).isFalse();
    assertThat(find("10.244.1.7").name()).isEqualTo("shop/api-1");
    assertThat(find("700").name()).isEqualTo("shop/api-1");
    assertThat(find(WEB.substring(0, 9)).name()).isEqualTo("shop/api-1");
  }

  @Test
  void aContainerIsFoundByTheBeginningOfItsIdInAnyRuntimesControlGroup() throws Exception {
    process(800, 8, "12:net_cls:/docker/" + WEB + "\n0::/docker/" + WEB + "\n");
    process(801, 1, "0::/machine.slice/libpod-conmon-" + DB + ".scope\n");
    process(802, 9, "0::/machine.slice/libpod-" + DB + ".scope/container\n");
    assertThat(find("5f2c").pid()).isEqualTo(OptionalLong.of(800));
    assertThat(find("docker://" + WEB).container()).isEqualTo(WEB);
    assertThat(find("5f2d00").pid()).as("conmon is not in the container").hasValue(802);
    assertThatThrownBy(() -> find("5f2c9a1c"))
        .hasMessageContaining("the control groups of 4 processes");
  }

  @Test
  void severalContainersOfOneBeginningAreNamed() throws Exception {
    process(800, 8, "0::/docker/" + WEB + "\n");
    process(802, 9, "0::/docker/" + DB + "\n");
    assertThatThrownBy(() -> find("5f2"))
        .as("too short to be one's")
        .hasMessageContaining("no pod or container 5f2");
    process(803, 10, "0::/docker/" + "5f2c7777".repeat(8) + "\n");
    assertThatThrownBy(() -> find("5f2c"))
        .isInstanceOf(NoSuchPodException.class)
        .hasMessageContaining(WEB)
        .hasMessageContaining("5f2c7777");
  }

  @Test
  void aContainerWithANameIsFoundByItsRuntimesState() throws Exception {
    process(900, 11, "0::/\n");
    process(901, 12, "0::/\n");
    file("run/containerd/io.containerd.runtime.v2.task/default/my-box/init.pid", "900");
    file("run/runc/other/state.json", "{\"id\":\"other\",\"init_process_pid\":901}");
    assertThat(find("my-box").pid()).hasValue(900);
    assertThat(find("my-box").how()).isEqualTo("containerd's state");
    assertThat(find("other").pid()).hasValue(901);
  }

  @Test
  void aPodOnTheNodesNetworkIsKnownAsSuch() throws Exception {
    Files.createDirectories(root.resolve("var/log/pods/kube-system_kube-proxy-x_" + UID));
    process(950, 1, "0::/kubepods/besteffort/pod" + UID + "/" + WEB + "\n");
    assertThat(find("kube-system/kube-proxy-x").node()).isTrue();
  }

  @Test
  void whatIsNotThereIsSaidWithAllThatWasLookedAt() throws Exception {
    Files.createDirectories(root.resolve("var/log/pods/shop_api-1_" + UID));
    assertThatThrownBy(() -> find("shop/api-2"))
        .hasMessageContaining("There is no pod shop/api-2 on this node.")
        .hasMessageContaining("Sund's records")
        .hasMessageContaining("var/log/pods (1 pods)")
        .extracting(e -> ((NoSuchPodException) e).remedy())
        .asString()
        .contains("shop/api-1");
    assertThatThrownBy(() -> find("shop/api-1")).hasMessageContaining("processes for uid " + UID);
    assertThatThrownBy(() -> find("10.9.9.9"))
        .hasMessageContaining("the networks of all processes");
    assertThatThrownBy(() -> find("4711")).hasMessageContaining("There is no process 4711");
    assertThatThrownBy(() -> find("/run/netns/none")).hasMessageContaining("no namespace's file");
    assertThatThrownBy(() -> find("")).isInstanceOf(NoSuchPodException.class);
  }

  @Test
  void aNameThatSeveralPodsHaveIsNotGuessed() throws Exception {
    Files.createDirectories(root.resolve("var/log/pods/shop_api_" + UID));
    Files.createDirectories(root.resolve("var/log/pods/test_api_" + UID));
    assertThatThrownBy(() -> find("api")).hasMessageContaining("shop/api, test/api");
  }

  @Test
  void whatIsNoRecordIsPassedOver() throws Exception {
    Path namespace = namespace("cni-1");
    file("var/lib/sund/attachments/broken@eth0.json", "{\"pod\":");
    file("var/lib/sund/attachments/list@eth0.json", "[1]");
    file("var/lib/cni/results/none", "");
    file(
        "var/lib/sund/attachments/ok@eth0.json",
        "{\"containerId\":\"ok\",\"netns\":\"/run/netns/cni-1\",\"pod\":\"a/b\",\"addresses\":[\"x\"]}");
    assertThat(find("a/b").namespace()).isEqualTo(namespace);
  }
}
