{{/* The environment of every process. Secrets are referred to, never written out. */}}

{{- define "platform.requiredSecrets" -}}
DJANGO_SECRET_KEY FIELD_ENCRYPTION_KEYS DATABASE_URL CELERY_BROKER_URL META_APP_SECRET META_VERIFY_TOKEN META_SYSTEM_TOKEN{{ if not .Values.media.claim }} STORAGE_URL{{ end }}
{{- end }}

{{- define "platform.optionalSecrets" -}}
EMAIL_URL SENTRY_DSN STRIPE_API_KEY STRIPE_WEBHOOK_SECRET
{{- end }}

{{/* A required key that is missing keeps the pod from starting, with the key's name in its events. */}}
{{- define "platform.environment" -}}
- name: ENVIRONMENT
  value: production
- name: PORT
  value: "8000"
- name: METRICS_PORT
  value: "9464"
{{- range $name, $value := .Values.config }}
{{- if ne (toString $value) "" }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- if .Values.media.claim }}
- name: STORAGE_URL
  value: file:///var/lib/media
{{- end }}
{{- $required := splitList " " (include "platform.requiredSecrets" .) }}
{{- range $name := concat $required (splitList " " (include "platform.optionalSecrets" .)) }}
{{- $place := default (dict "name" $.Values.secret.name "key" $name) (get $.Values.secret.from $name) }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $place.name }}
      key: {{ $place.key }}
      {{- if not (has $name $required) }}
      optional: true
      {{- end }}
{{- end }}
{{- end }}
