{{/*
A component's Deployment. Called with (list $ key); the template "platform.<key>.container" gives command, ports, probes
and what of the environment is the component's own.
*/}}
{{- define "platform.deployment" -}}
{{- $root := index . 0 -}}
{{- $key := index . 1 -}}
{{- $values := index $root.Values $key -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "platform.fullname" $root }}-{{ kebabcase $key }}
  labels:
    {{- include "platform.labels" . | nindent 4 }}
spec:
  {{- if has $key (list "beat" "metrics") }}
  replicas: 1
  {{- else if not (dig "autoscaling" "enabled" false $values) }}
  replicas: {{ $values.replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy:
    {{- if eq $key "beat" }}
    type: Recreate
    {{- else }}
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 25%
      maxUnavailable: 0
    {{- end }}
  selector:
    matchLabels:
      {{- include "platform.componentSelector" . | nindent 6 }}
  template:
    metadata:
      {{- include "platform.podMetadata" . | nindent 6 }}
    spec:
      serviceAccountName: {{ include "platform.serviceAccountName" $root }}
      terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
      {{- include "platform.podSettings" . | nindent 6 }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: {{ $root.Values.pods.spreadOver }}
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "platform.componentSelector" . | nindent 14 }}
      containers:
        - name: {{ kebabcase $key }}
          {{- include "platform.containerSettings" . | nindent 10 }}
          {{- include (printf "platform.%s.container" $key) $root | nindent 10 }}
          env:
            {{- include "platform.environment" $root | nindent 12 }}
            {{- if include "platform.counts" . }}
            - name: PROMETHEUS_MULTIPROC_DIR
              value: /run/metrics
            {{- end }}
            {{- if has $key (list "web" "intake") }}
            - name: FORWARDED_ALLOW_IPS
              value: {{ $root.Values.ingress.trustedProxies | quote }}
            {{- end }}
        {{- if include "platform.counts" . }}
        {{- include "platform.counts.container" $root | nindent 8 }}
        {{- end }}
{{- end }}
