package dev.sund.kube.object;

import dev.sund.engine.cluster.Pod;
import dev.sund.engine.ipam.AddressWishes;
import dev.sund.kube.tree.Shape;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Marks;
import dev.sund.model.NodeName;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What Sund uses of {@code metadata}.
 *
 * @param uid the object's uid; for one without, made from kind, namespace and name, so that the
 *     same manifest always means the same object
 * @param created seconds since 1970, 0 when not given
 */
record Meta(String uid, long created) {
  /** The shape of most objects' {@code metadata}. */
  static final Shape SHAPE = shape().pass("labels");

  /** The shape of a node's {@code metadata}: labels count, and what Sund itself writes there. */
  static final Shape OF_NODES =
      shape()
          .use("labels")
          .use(
              "annotations",
              Shape.some(Marks.ANNOTATION_V4, Marks.ANNOTATION_V6, Marks.ANNOTATION_TUNNELS));

  /** The shape of a pod's {@code metadata}: labels count, and what it asks of its network. */
  static final Shape OF_PODS =
      shape().use("labels").use("annotations", Shape.some(wishesAnd(Pod.MIRROR)));

  /** The shape of a namespace's {@code metadata}: labels count, and what it asks for its pods. */
  static final Shape OF_NAMESPACES = shape().use("labels").use("annotations", wishes());

  /** The label that leaves a Service to another proxy than the cluster's. */
  static final String LABEL_PROXY = "service.kubernetes.io/service-proxy-name";

  /** The label of a Service without addresses, and of its slices. */
  static final String LABEL_HEADLESS = "service.kubernetes.io/headless";

  /** The label of a slice that says whose endpoints it has. */
  static final String LABEL_SERVICE = "kubernetes.io/service-name";

  /** The annotation that was there before {@code spec.loadBalancerSourceRanges}. */
  static final String SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges";

  /** The annotation that says when what a slice tells of happened. */
  static final String TRIGGERED = "endpoints.kubernetes.io/last-change-trigger-time";

  /** The shape of a Service's {@code metadata}. */
  static final Shape OF_SERVICES =
      shape()
          .use("labels", Shape.some(LABEL_PROXY, LABEL_HEADLESS))
          .use("annotations", Shape.some(SOURCE_RANGES, Marks.ANNOTATION_CHOICE));

  /** The shape of a slice's {@code metadata}. */
  static final Shape OF_SLICES =
      shape()
          .use("labels", Shape.some(LABEL_SERVICE, LABEL_PROXY, LABEL_HEADLESS))
          .use("annotations", Shape.some(TRIGGERED));

  /** The shape of a policy's {@code metadata}. */
  static final Shape OF_POLICIES = shape().use("generation").pass("labels");

  private static final Pattern NAME =
      Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");
  private static final Pattern LABEL_VALUE =
      Pattern.compile("([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?");
  private static final Pattern UID = Pattern.compile("[A-Za-z0-9._-]{1,64}");

  private static Shape shape() {
    return Shape.object()
        .use("name", "namespace", "uid", "creationTimestamp", "resourceVersion")
        .pass("annotations", "generation", "generateName", "ownerReferences")
        .pass("finalizers", "selfLink", "deletionTimestamp")
        .pass("deletionGracePeriodSeconds", "clusterName")
        .tell("managedFields", "who wrote which field is the API server's own bookkeeping");
  }

  private static Shape wishes() {
    return Shape.some(AddressWishes.KEYS.toArray(String[]::new));
  }

  private static String[] wishesAnd(String other) {
    return Stream.concat(AddressWishes.KEYS.stream(), Stream.of(other)).toArray(String[]::new);
  }

  /** The object's annotations that say something of its network. */
  static Map<String, String> wishes(Field object) {
    Field annotations = object.at("metadata").at("annotations");
    Map<String, String> wishes = new LinkedHashMap<>();
    for (String key : AddressWishes.KEYS) {
      Field field = annotations.at(key);
      if (field.present()) {
        wishes.put(key, field.text().orElse(""));
      }
    }
    return wishes;
  }

  /** The object's labels; one whose value is not text is a problem. */
  static Map<String, String> labels(Field object) {
    Map<String, String> labels = new LinkedHashMap<>();
    Field field = object.at("metadata").at("labels");
    Optional<Tree.Mapping> mapping = field.fields();
    if (mapping.isPresent()) {
      for (Map.Entry<String, Tree> entry : mapping.get().fields().entrySet()) {
        String key = entry.getKey();
        if (entry.getValue() instanceof Tree.Scalar text && text.quoted()) {
          labels.put(key, text.text()); // as all are that an API server tells
        } else {
          Field label = field.at(key);
          labels.put(key, label.present() ? label.text().orElse("") : "");
        }
      }
    }
    return labels;
  }

  /** The name of a node; empty when there is none, or none that can be one, which is told. */
  static Optional<NodeName> nodeName(Field field) {
    Optional<String> text = field.text().filter(name -> !name.isEmpty());
    if (text.isPresent() && !isName(text.get())) {
      field.invalid(
          "'" + text.get() + "' is not the name of a node.",
          "Write the node's metadata.name, or leave the field out.");
      return Optional.empty();
    }
    return text.map(NodeName::new);
  }

  /** Whether Kubernetes takes this as the name of an object. */
  static boolean isName(String text) {
    return text.length() <= 253 && NAME.matcher(text).matches();
  }

  /** Whether Kubernetes takes this as the value of a label. */
  static boolean isLabelValue(String text) {
    return text.length() <= 63 && LABEL_VALUE.matcher(text).matches();
  }

  static Meta read(Field object, String kind, String name) {
    Field metadata = object.at("metadata");
    checkName(metadata.at("name"));
    checkName(metadata.at("namespace"));
    String uid = metadata.at("uid").text().filter(text -> !text.isEmpty()).orElse("");
    if (!uid.isEmpty() && !UID.matcher(uid).matches()) {
      metadata
          .at("uid")
          .invalid(
              "'" + uid + "' is not a uid.",
              "Write a UUID, or leave the field out and one is made from the name.");
      uid = "";
    }
    long created = 0;
    var timestamp = metadata.at("creationTimestamp").text();
    if (timestamp.isPresent()) {
      try {
        created = Instant.parse(timestamp.get()).getEpochSecond();
      } catch (DateTimeException _) {
        metadata
            .at("creationTimestamp")
            .invalid(
                "'" + timestamp.get() + "' is not a time.",
                "Write a time such as 2026-01-31T12:00:00Z, or leave the field out.");
      }
    }
    return new Meta(uid.isEmpty() ? derivedUid(kind, name) : uid, created);
  }

  /** The uid of an object that states none. */
  static String derivedUid(String kind, String name) {
    return UUID.nameUUIDFromBytes((kind + " " + name).getBytes(StandardCharsets.UTF_8)).toString();
  }

  /** Tells which of an object's name and namespace is none. */
  static void checkNames(Field object) {
    checkName(object.at("metadata").at("name"));
    checkName(object.at("metadata").at("namespace"));
  }

  private static void checkName(Field name) {
    name.text()
        .filter(text -> !isName(text))
        .ifPresent(text ->
            name.invalid(
                "'" + text + "' is not a name that Kubernetes takes.",
                "Write lower-case letters, digits, '-' and '.', at most 253 characters,"
                    + " beginning and ending with a letter or digit."));
  }
}
