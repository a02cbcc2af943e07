package dev.sund.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.doctor.disk.EtcdFolder;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where etcd's log is, by all that tells it. */
class EtcdFolderTest {
  @TempDir Path root;

  private static String found(RecordedNode node) throws Exception {
    return EtcdFolder.of(node.host()).map(one -> one.path() + " by " + one.how()).orElse("nothing");
  }

  private RecordedNode node() {
    return new RecordedNode(root);
  }

  private RecordedNode running(String commandLine, String environment) {
    return node()
        .with("proc/900/comm", "etcd")
        .with("proc/900/cmdline", commandLine)
        .with("proc/900/environ", environment);
  }

  @Test
  void aNodeWithoutEtcdHasNone() throws Exception {
    assertThat(found(node())).isEqualTo("nothing");
  }

  @Test
  void aProcessSaysItInItsContainer() throws Exception {
    assertThat(found(running("etcd\0--name=n1\0--data-dir=/var/lib/etcd\0", "HOME=/")))
        .isEqualTo("proc/900/root/var/lib/etcd by process 900");
    assertThat(found(running("etcd\0--data-dir\0/data\0--wal-dir\0/fast/wal\0", "HOME=/")))
        .isEqualTo("proc/900/root/fast/wal by process 900");
  }

  @Test
  void aProcessIsToldByItsEnvironment() throws Exception {
    assertThat(found(running("etcd\0", "HOME=/\0ETCD_DATA_DIR=/srv/etcd\0TERM=x")))
        .isEqualTo("proc/900/root/srv/etcd by process 900");
    assertThat(found(running("etcd\0", "HOME=/"))).isEqualTo("proc/900/cwd by process 900");
  }

  @Test
  void aStaticPodSaysItWhileItIsDown() throws Exception {
    assertThat(
            found(
                node()
                    .with(
                        "etc/kubernetes/manifests/etcd.yaml",
                        "spec:\n  containers:\n  - command:\n    - etcd\n    - --data-dir=/mnt/etcd\n")))
        .isEqualTo("mnt/etcd by /etc/kubernetes/manifests/etcd.yaml");
  }

  @Test
  void k3sHasItsOwnPlace() throws Exception {
    assertThat(found(node().with("var/lib/rancher/k3s/server/db/etcd/name", "n1")))
        .isEqualTo("var/lib/rancher/k3s/server/db/etcd by its usual place");
  }

  @Test
  void k3sWithoutEtcdWritesBesideIt() throws Exception {
    assertThat(found(node().with("var/lib/rancher/k3s/server/db/state.db", "")))
        .isEqualTo("var/lib/rancher/k3s/server/db by its usual place");
  }
}
