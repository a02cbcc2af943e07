package dev.sund.lab.api;

import dev.sund.kube.tree.Tree;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;

/** The columns in which people are shown the objects of a resource. */
record Columns(List<Column> all) {
  private static final Pattern PLAIN_PATH = Pattern.compile("(\\.[A-Za-z0-9_-]+)+");

  private static final Column NAME =
      new Column("Name", "string", "name", 0, object -> object.metadata("name"));
  private static final Column AGE =
      new Column("Age", "date", "", 0, object -> object.metadata("creationTimestamp"));

  /**
   * A column.
   *
   * @param type {@code string}, {@code integer}, {@code date} ...
   * @param format {@code name} for the one that names the object
   * @param priority 0 is always shown, 1 when more is asked for
   * @param cell the text of one object's cell; a time for the type {@code date}
   */
  record Column(
      String name, String type, String format, int priority, Function<Stored, String> cell) {
    static Column text(String name, Function<Stored, String> cell) {
      return new Column(name, "string", "", 0, cell);
    }

    static Column wide(String name, Function<Stored, String> cell) {
      return new Column(name, "string", "", 1, cell);
    }
  }

  /** The columns of a resource that every server has. */
  static Columns of(Resource resource) {
    List<Column> columns = new ArrayList<>(List.of(NAME));
    if (resource.equals(Resource.PODS)) {
      columns.add(Column.text("Ready", Columns::ready));
      columns.add(Column.text("Status", pod -> field(pod, "status", "phase", "Pending")));
      columns.add(Column.text("Restarts", _ -> "0"));
      columns.add(AGE);
      columns.add(Column.wide("IP", pod -> field(pod, "status", "podIP", "<none>")));
      columns.add(Column.wide("Node", pod -> field(pod, "spec", "nodeName", "<none>")));
      return new Columns(columns);
    }
    if (resource.equals(Resource.NODES)) {
      columns.add(Column.text("Status", Columns::nodeStatus));
      columns.add(Column.text("Roles", Columns::roles));
      columns.add(AGE);
      columns.add(Column.text("Version", node -> nodeInfo(node, "kubeletVersion")));
      columns.add(Column.wide("Internal-IP", Columns::internalIp));
      return new Columns(columns);
    }
    if (resource.equals(Resource.NAMESPACES)) {
      columns.add(Column.text("Status", name -> field(name, "status", "phase", "Active")));
    } else if (resource.equals(Resource.SERVICES)) {
      columns.add(Column.text("Type", service -> field(service, "spec", "type", "ClusterIP")));
      columns.add(
          Column.text("Cluster-IP", service -> field(service, "spec", "clusterIP", "<none>")));
    } else if (resource.equals(Resource.CONFIG_MAPS)) {
      columns.add(
          Column.text(
              "Data", map -> String.valueOf(Json.child(map.tree(), "data").fields().size())));
    }
    columns.add(AGE);
    return new Columns(columns);
  }

  /**
   * The columns of one version of a custom resource.
   *
   * @throws IllegalArgumentException for a jsonPath that is more than names with dots between
   */
  static Columns of(Tree.Mapping version) {
    List<Column> columns = new ArrayList<>(List.of(NAME));
    for (Tree.Mapping column : Json.mappings(version, "additionalPrinterColumns")) {
      String path = column.text("jsonPath").orElse("");
      if (!PLAIN_PATH.matcher(path).matches()) {
        throw new IllegalArgumentException(
            "the lab's API server does not understand the jsonPath '" + path + "'");
      }
      String[] steps = path.substring(1).split("\\.", -1);
      columns.add(
          new Column(
              column.text("name").orElse(""),
              column.text("type").orElse("string"),
              "",
              Integer.parseInt(column.text("priority").orElse("0")),
              object -> at(object.tree(), steps)));
    }
    if (columns.size() == 1) {
      columns.add(AGE);
    }
    return new Columns(columns);
  }

  /** A row: the cells as they are shown now. */
  List<Tree> cells(Stored object, Instant now) {
    List<Tree> cells = new ArrayList<>();
    for (Column column : all) {
      String text = column.cell().apply(object);
      cells.add(Json.text(column.type().equals("date") ? age(text, now) : text));
    }
    return cells;
  }

  private static String at(Tree.Mapping object, String... steps) {
    Tree here = object;
    for (String step : steps) {
      here = here instanceof Tree.Mapping mapping ? mapping.get(step).orElse(here) : here;
    }
    return here instanceof Tree.Scalar scalar ? scalar.text() : "";
  }

  /** How long ago that was, as coarse as kubectl says it. */
  static String age(String time, Instant now) {
    try {
      Duration age = Duration.between(Instant.parse(time), now);
      if (age.toMinutes() < 2) {
        return Math.max(0, age.toSeconds()) + "s";
      }
      if (age.toHours() < 3) {
        return age.toMinutes() + "m";
      }
      return age.toDays() < 2 ? age.toHours() + "h" : age.toDays() + "d";
    } catch (DateTimeParseException _) {
      return "<unknown>";
    }
  }

  private static String field(Stored object, String part, String name, String otherwise) {
    return Json.child(object.tree(), part).text(name).orElse(otherwise);
  }

  private static String ready(Stored pod) {
    int containers = Json.items(Json.child(pod.tree(), "spec"), "containers").size();
    boolean runs = field(pod, "status", "phase", "").equals("Running");
    return (runs ? containers : 0) + "/" + containers;
  }

  private static String nodeStatus(Stored node) {
    for (Tree.Mapping condition : Json.mappings(Json.child(node.tree(), "status"), "conditions")) {
      if (condition.text("type").filter("Ready"::equals).isPresent()) {
        return condition.text("status").filter("True"::equals).isPresent() ? "Ready" : "NotReady";
      }
    }
    return "Unknown";
  }

  private static String roles(Stored node) {
    Set<String> roles = new LinkedHashSet<>();
    Tree.Mapping labels = Json.child(Json.child(node.tree(), "metadata"), "labels");
    String prefix = "node-role.kubernetes.io/";
    labels.fields().keySet().stream()
        .filter(label -> label.startsWith(prefix))
        .forEach(label -> roles.add(label.substring(prefix.length())));
    return roles.isEmpty() ? "<none>" : String.join(",", roles);
  }

  private static String nodeInfo(Stored node, String field) {
    return Json.child(Json.child(node.tree(), "status"), "nodeInfo").text(field).orElse("");
  }

  private static String internalIp(Stored node) {
    return Json.mappings(Json.child(node.tree(), "status"), "addresses").stream()
        .filter(address -> address.text("type").filter("InternalIP"::equals).isPresent())
        .findFirst()
        .flatMap(address -> address.text("address"))
        .orElse("<none>");
  }
}
