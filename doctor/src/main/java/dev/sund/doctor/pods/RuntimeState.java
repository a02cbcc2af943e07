package dev.sund.doctor.pods;

import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What container runtimes leave in {@code /run} of the containers that run: which process is the
 * first of each. Needed where a container's id is no hash ({@code ctr run ... NAME}), or where its
 * processes' control groups do not show it.
 */
final class RuntimeState {
  /**
   * A runtime's folder.
   *
   * @param runtime its name, for people
   * @param folder below it each container has a folder with its id as name
   * @param file in that, what says its process
   * @param field the JSON field of the process's number; empty when the file is the number
   */
  private record Place(String runtime, String folder, String file, String field) {}

  private static final List<Place> PLACES =
      List.of(
          new Place("containerd", "run/containerd/io.containerd.runtime.v2.task/*", "init.pid", ""),
          new Place("k3s", "run/k3s/containerd/io.containerd.runtime.v2.task/*", "init.pid", ""),
          new Place(
              "docker",
              "run/docker/containerd/daemon/io.containerd.runtime.v2.task/*",
              "init.pid",
              ""),
          new Place("runc", "run/runc", "state.json", "init_process_pid"),
          new Place("runc", "run/containerd/runc/*", "state.json", "init_process_pid"),
          new Place("docker", "run/docker/runtime-runc/*", "state.json", "init_process_pid"),
          new Place("crun", "run/crun", "status", "pid"),
          new Place("podman", "run/containers/storage/overlay-containers", "userdata/pidfile", ""),
          new Place("podman", "run/containers/storage/vfs-containers", "userdata/pidfile", ""));

  private final Path root;

  RuntimeState(Path root) {
    this.root = root;
  }

  /**
   * A container that runs.
   *
   * @param id its id, whole
   * @param pid its first process
   * @param runtime who says so
   */
  record Container(String id, long pid, String runtime) {}

  /** The containers whose id begins like this, or is this; each once. */
  List<Container> named(String begin, boolean whole) {
    List<Container> found = new ArrayList<>();
    for (Place place : PLACES) {
      for (Path folder : folders(place.folder())) {
        for (Path container : children(folder)) {
          String id = String.valueOf(container.getFileName());
          boolean asked = whole ? id.equals(begin) : id.startsWith(begin);
          OptionalLong pid =
              asked ? pid(container.resolve(place.file()), place.field()) : OptionalLong.empty();
          if (pid.isPresent() && found.stream().noneMatch(one -> one.id().equals(id))) {
            found.add(new Container(id, pid.getAsLong(), place.runtime()));
          }
        }
      }
    }
    return found;
  }

  /** The runtimes whose folders are here. */
  List<String> runtimes() {
    return PLACES.stream()
        .filter(place -> !folders(place.folder()).isEmpty())
        .map(Place::runtime)
        .distinct()
        .toList();
  }

  private List<Path> folders(String pattern) {
    if (!pattern.endsWith("/*")) {
      Path folder = root.resolve(pattern);
      return Files.isDirectory(folder) ? List.of(folder) : List.of();
    }
    return children(root.resolve(pattern.substring(0, pattern.length() - 2)));
  }

  private static List<Path> children(Path folder) {
    List<Path> children = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      entries.forEach(children::add);
    } catch (IOException _) {
      return List.of(); // not this runtime
    }
    children.sort(null);
    return children;
  }

  private static OptionalLong pid(Path file, String field) {
    try {
      String text = Files.readString(file).strip();
      Optional<String> number =
          field.isEmpty()
              ? Optional.of(text)
              : JsonTrees.parse(text) instanceof Tree.Mapping fields
                  ? fields.text(field)
                  : Optional.empty();
      return number.filter(digits -> digits.matches("[1-9][0-9]{0,9}")).isPresent()
          ? OptionalLong.of(Long.parseLong(number.get()))
          : OptionalLong.empty();
    } catch (IOException _) {
      return OptionalLong.empty();
    }
  }
}
